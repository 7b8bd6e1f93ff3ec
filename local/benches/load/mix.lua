-- The load of one of wrk's threads. It writes a transcript, with a line for every request and every reply.

local threads = 0

function setup(thread)
  thread:set("thread_id", threads)
  threads = threads + 1
end

function init(args)
  math.randomseed(os.time() * 1000 + thread_id)
  urls = {unpack(args, 2)} -- of the shops: steady, unsteady, down, dead
  transcript = assert(io.open(args[1] .. "/transcript-" .. thread_id, "w"))
  recent = {} -- attempts that may be repeated: the key and the body
  links = {}  -- BankID links that are not opened yet
  known = {}  -- ids of accepted orders
  denied = {} -- attempts that get a 500 but are created: a further attempt makes a second order
  keys = 0
  again, repeats = nil, 0
end

local function chance(percent)
  return math.random(100) <= percent
end

-- The list is kept short, so that its items are recent.
local function keep(list, item)
  if #list < 400 then list[#list + 1] = item else list[math.random(#list)] = item end
end

local function take(list)
  local index = math.random(#list)
  local item = list[index]
  list[index] = list[#list]
  list[#list] = nil
  return item
end

local words = {
  "lost-reply", "lost-request", "error-500", "error-500-created", "error-510", "rate-limited", "unavailable",
  "early-callback", "duplicate-callback", "reversed-callbacks", "unknown-status", "bad-checksum",
}

local private = [["type":"private","personalNumber":"%s"]]
local corporate = [["type":"corporate","organizationId":"974760673"]]
local body = [[{"products":[{"name":"Router","productId":"R_1","quantity":"1","rate":%d,"discount":0,"tax":"0","amount":%d}],
"orderSummary":{"subTotal":"%d","totalTax":"0","totalDiscount":"0.00","grandTotal":"%d"},"orderDate":"4070908800",
"customerDetails":{%s,"countryCode":"+47","msisdn":"46567468","email":"kari@example.com","name":"Kari Nordmann",
"preferredLanguage":"en","address":{"street":"Klosterenget 144","zip":"7030","city":"Trondheim","country":"NO"}},
"referenceNo":"%s","invoiceFeeApplicable":true,"invoiceMaturity":10,"callback":{"callbackUrl":"%s",
"success":"https://shop.example/success","failure":"https://shop.example/failure"}}]]

-- Every order has a total and a reference of its own. Most have no word for the sandbox; one in 3,000 is slow.
local serial = 0
local function order()
  serial = serial + 1
  local total = serial * 10 + thread_id
  local word, customer = "plain", chance(30) and corporate or private:format("30908299902")
  if math.random(3000) == 1 then
    word = "slow"
  elseif chance(30) then
    word = words[math.random(#words)]
  elseif chance(2) then
    word, customer = "refused", private:format("abcdefghijk") -- the sandbox wants digits
  end
  -- Most shops are steady. One URL in ten is of a host that the bridge must not call.
  local shop = urls[({1, 1, 1, 1, 2, 2, 3, 3, 4})[math.random(10)] or 0] or "https://shop.example/status"
  local reference = ("%s %d/%d"):format(word, thread_id, serial)
  return body:format(total, total, total, total, customer, reference, shop)
end

local function post(attempt)
  return wrk.format("POST", "/orders", {
    ["Authorization"] = "Bearer demo-shop-key",
    ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = attempt.key,
  }, attempt.body)
end

local function get(path)
  return wrk.format("GET", path, { ["Authorization"] = "Bearer demo-shop-key" })
end

local function fresh()
  keys = keys + 1
  local attempt = { key = ("load-%d-%d"):format(thread_id, keys), body = order() }
  keep(recent, attempt)
  if attempt.body:find("error-500-created", 1, true) then keep(denied, attempt) end
  -- Sometimes several connections submit it at once.
  return "order", post(attempt), chance(10) and math.random(4) or 0
end

local function choose()
  local dice = math.random(100)
  if dice <= 15 and #recent > 0 then
    return "retry", post(recent[math.random(#recent)]), 0
  elseif dice <= 22 and #recent > 0 then
    local earlier = #denied > 0 and take(denied) or recent[math.random(#recent)]
    local other = { key = earlier.key, body = order() }
    keep(recent, other)
    return "other body", post(other), chance(10) and 1 or 0
  elseif dice <= 42 and #known > 0 then
    return "read", get("/orders/" .. known[math.random(#known)]), 0
  elseif dice <= 58 and #links > 0 then
    -- Sometimes the customer clicks twice, or both signs and declines.
    local link = take(links)
    if chance(10) then links[#links + 1] = link end
    return "sign", wrk.format("POST", link .. "/sign"), chance(10) and 1 or 0
  elseif dice <= 62 and #links > 0 then
    return "decline", wrk.format("POST", take(links) .. "/decline"), 0
  elseif dice <= 64 and #known > 0 then
    return "guess", wrk.format("GET", "/callbacks/" .. known[math.random(#known)] .. "/guessed?status=PAID"), 0
  end
  return fresh()
end

function request()
  local kind
  if repeats > 0 then
    kind, repeats = "at once", repeats - 1
  else
    kind, again, repeats = choose()
  end
  transcript:write("> ", kind, "\n")
  return again
end

local function field(name, text)
  return text:match('"' .. name .. '":"([^"]*)"') or "-"
end

function response(status, headers, text)
  local order_id = field("orderId", text)
  if status == 201 then
    keep(known, order_id)
    local link = text:match('"bankIdUrl":"http://[^/"]*([^"]*)"')
    if link and not headers["idempotency-replayed"] then keep(links, link) end
  end
  local slug = text:match('"urn:front%-payment%-bridge:([^"]*)"') or "-"
  local replayed = headers["idempotency-replayed"] and "replayed" or "-"
  local fields = { status, slug, replayed, order_id, field("orderUuid", text), field("status", text) }
  transcript:write("< ", table.concat(fields, " "), "\n")
end
