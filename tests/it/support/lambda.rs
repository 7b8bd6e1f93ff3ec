//! The built binaries as Lambda runs them: processes that ask a Runtime API for events.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde_json::Value;
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc};
use uuid::Uuid;

/// A Runtime API with one function behind it.
pub struct Lambda {
    events: mpsc::Sender<Invocation>,
    replies: Mutex<mpsc::Receiver<Result<Value, Value>>>,
    process: Mutex<Child>,
    /// A file and not a pipe, because what a process writes to a file before its reply can be read when the reply is there.
    log: NamedTempFile,
    serving: tokio::task::JoinHandle<()>,
}

/// An event, and when Lambda ends the invocation, in Unix milliseconds.
type Invocation = (String, i64);

struct Api {
    events: Mutex<mpsc::Receiver<Invocation>>,
    replies: mpsc::Sender<Result<Value, Value>>,
}

impl Lambda {
    /// Starts a binary with these variables, in addition to Lambda's own.
    pub async fn start(binary: &str, variables: &[(&str, &str)]) -> Self {
        let (events, queue) = mpsc::channel(1);
        let (replied, replies) = mpsc::channel(1);
        let api = Arc::new(Api { events: Mutex::new(queue), replies: replied });
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .with_state(api);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        let log = NamedTempFile::new().unwrap();
        let process = Command::new(binary)
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", "function"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_REGION", "eu-north-1"),
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
            ])
            .envs(variables.iter().copied())
            .stdout(appended(&log))
            .stderr(appended(&log))
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { events, replies: Mutex::new(replies), process: Mutex::new(process), log, serving }
    }

    /// One invocation. Panics if the function reports an error, or does not reply within 30 seconds.
    pub async fn invoke(&self, event: &Value) -> Value {
        self.invoke_text(event.to_string()).await
    }

    pub async fn invoke_text(&self, event: String) -> Value {
        self.invoke_within(29, event).await
    }

    /// One invocation that Lambda would end after a number of seconds.
    pub async fn invoke_within(&self, seconds: i64, event: String) -> Value {
        let reply = self.run(seconds, event).await;
        if reply.get("statusCode").is_some() {
            assert_eq!(reply["headers"]["cache-control"], "no-store", "of every reply: {reply}");
        }
        reply
    }

    /// Like [`Self::invoke_within`], for a function without an API.
    pub async fn run(&self, seconds: i64, event: String) -> Value {
        let deadline = Timestamp::now().as_millisecond() + seconds * 1_000;
        self.events.send((event, deadline)).await.unwrap();
        let mut replies = self.replies.lock().await;
        let reply = tokio::time::timeout(Duration::from_secs(30), replies.recv()).await;
        let reply = reply.unwrap_or_else(|_| panic!("no reply; the log: {}", self.log())).unwrap();
        let reply = reply.unwrap_or_else(|error| panic!("the handler failed: {error}"));
        if reply.get("statusCode").is_some() {
            assert_eq!(reply["headers"]["cache-control"], "no-store", "of every reply: {reply}");
        }
        reply
    }

    /// Checks by the function's own clock that its latest reply came two seconds before Lambda's deadline, and within 27
    /// seconds.
    pub fn replied_in_time(&self, seconds: i64) {
        let line = self.summary();
        let most = u64::try_from(seconds.min(29) - 2).unwrap() * 1_000 + 250;
        assert!(line["totalMs"].as_u64().unwrap() < most, "{line}");
    }

    /// The summary line of the latest request.
    pub fn summary(&self) -> Value {
        let log = self.log();
        serde_json::from_str(log.lines().rfind(|line| line.contains("totalMs")).expect("no summary line")).unwrap()
    }

    /// Everything that the function has written so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }

    pub async fn process_id(&self) -> u32 {
        self.process.lock().await.id().unwrap()
    }

    pub async fn kill(&self) {
        self.process.lock().await.kill().await.unwrap();
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn appended(log: &NamedTempFile) -> File {
    File::options().append(true).open(log.path()).unwrap()
}

async fn next(State(api): State<Arc<Api>>) -> Response {
    match api.events.lock().await.recv().await {
        Some((event, deadline)) => {
            let headers = [
                ("lambda-runtime-aws-request-id", Uuid::new_v4().to_string()),
                ("lambda-runtime-deadline-ms", deadline.to_string()),
                ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-north-1:000000000000:function:function".to_owned()),
            ];
            (headers, event).into_response()
        }
        None => std::future::pending().await,
    }
}

async fn response(State(api): State<Arc<Api>>, Path(_): Path<String>, body: Bytes) -> Response {
    api.replies.send(Ok(serde_json::from_slice(&body).unwrap())).await.unwrap();
    http::StatusCode::ACCEPTED.into_response()
}

async fn error(State(api): State<Arc<Api>>, Path(_): Path<String>, body: Bytes) -> Response {
    api.replies.send(Err(serde_json::from_slice(&body).unwrap_or_default())).await.unwrap();
    http::StatusCode::ACCEPTED.into_response()
}
