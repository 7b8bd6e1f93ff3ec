//! A stub of Lambda's Runtime API, for one process.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::wire::{self, Call, Reply, Service};

/// Serves events to one process, and measures when it asks and answers.
pub struct RuntimeApi {
    pub address: String,
    events: UnboundedSender<String>,
    asked: UnboundedReceiver<Instant>,
    answers: UnboundedReceiver<Answer>,
    listening: JoinHandle<()>,
}

/// A process's answer to an event, with the times of both.
pub struct Answer {
    pub delivered: Instant,
    pub answered: Instant,
    pub body: Vec<u8>,
}

struct Api {
    events: Mutex<UnboundedReceiver<String>>,
    asked: UnboundedSender<Instant>,
    answers: UnboundedSender<Answer>,
    delivered: std::sync::Mutex<Instant>,
}

impl RuntimeApi {
    pub async fn start() -> Self {
        let (events, queue) = unbounded_channel();
        let (asks, asked) = unbounded_channel();
        let (answer, answers) = unbounded_channel();
        let delivered = std::sync::Mutex::new(Instant::now());
        let api = Arc::new(Api { events: Mutex::new(queue), asked: asks, answers: answer, delivered });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let api = api.clone();
                tokio::spawn(async move { wire::serve(stream, &*api).await });
            }
        });
        Self { address, events, asked, answers, listening }
    }

    /// Puts an event into the queue.
    pub fn send(&self, event: String) {
        self.events.send(event).unwrap();
    }

    /// Waits until the process asks for an event, and returns when. The first time, that is the end of init.
    pub async fn asked(&mut self) -> Option<Instant> {
        tokio::time::timeout(Duration::from_secs(30), self.asked.recv()).await.ok().flatten()
    }

    /// Waits for the answer to the event.
    pub async fn answer(&mut self) -> Option<Answer> {
        tokio::time::timeout(Duration::from_secs(30), self.answers.recv()).await.ok().flatten()
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Service for Api {
    async fn answer(&self, call: Call) -> Reply {
        let now = Instant::now();
        if call.method == "GET" {
            // Fails only if the run is over and nobody listens.
            self.asked.send(now).unwrap_or_default();
            let Some(event) = self.events.lock().await.recv().await else { return std::future::pending().await };
            let deadline = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() + Duration::from_secs(29);
            *self.delivered.lock().unwrap() = Instant::now();
            return Reply::new(200, event)
                .with("content-type", "application/json")
                .with("lambda-runtime-aws-request-id", Uuid::new_v4().to_string())
                .with("lambda-runtime-deadline-ms", deadline.as_millis().to_string())
                .with("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-north-1:000000000000:function:function");
        }
        assert!(call.target.ends_with("/response"), "{}: {}", call.target, String::from_utf8_lossy(&call.body));
        let delivered = *self.delivered.lock().unwrap();
        self.answers.send(Answer { delivered, answered: now, body: call.body }).unwrap_or_default();
        Reply::new(202, "{\"status\":\"OK\"}")
    }
}
