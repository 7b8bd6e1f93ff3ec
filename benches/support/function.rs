//! Runs a program as Lambda does, for one cold start.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::events::Event;
use super::neighbours::Neighbours;
use super::program::Program;
use super::runtime_api::{Answer, RuntimeApi};

/// A process with its own Runtime API. The process ends when this is dropped.
pub struct Function<'a> {
    program: &'a Program,
    api: RuntimeApi,
    process: Child,
    started: Instant,
    expected: u16,
}

/// Memory in MiB.
pub struct Memory {
    pub resident: f64,
    pub most: f64,
}

/// How long something took, in ms.
pub fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

impl<'a> Function<'a> {
    /// Starts a process. If there is an event, it already waits for the process.
    pub async fn start(program: &'a Program, neighbours: &Neighbours, event: Option<Event>) -> Self {
        let api = RuntimeApi::start().await;
        let expected = event.as_ref().map_or(0, |event| event.expected);
        if let Some(event) = event {
            api.send(event.json);
        }
        let log = File::create(&program.log).unwrap();
        let mut command = program.command();
        command
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", api.address.as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", "function"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_REGION", "eu-north-1"),
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
            ])
            .envs(neighbours.environment.iter().map(|(name, value)| (name, value)))
            .envs(program.more_environment())
            .stdin(Stdio::null())
            .stderr(log.try_clone().unwrap())
            .stdout(log);
        let started = Instant::now();
        let process = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.path.display()));
        Self { program, api, process, started, expected }
    }

    /// Waits for the end of init. Returns how long it took from the start of the process.
    pub async fn init(&mut self) -> Duration {
        match self.api.asked().await {
            Some(asked) => asked - self.started,
            None => self.fail("it does not ask for an event"),
        }
    }

    /// Waits for the answer to the first event. Returns how long that took, and the time since the start of the process.
    pub async fn first(&mut self) -> (Duration, Duration) {
        let answer = self.answer().await.unwrap_or_else(|why| self.fail(&why));
        (answer.answered - answer.delivered, answer.answered - self.started)
    }

    /// Sends one more event. Returns how long it took.
    pub async fn invoke(&mut self, event: Event) -> Duration {
        self.ask(event).await.0
    }

    /// Sends one more event. Returns how long it took, and the reply.
    pub async fn ask(&mut self, event: Event) -> (Duration, Value) {
        self.try_ask(event).await.unwrap_or_else(|why| self.fail(&why))
    }

    /// Like [`Self::ask`], but returns an error if there is no such reply.
    pub async fn try_ask(&mut self, event: Event) -> Result<(Duration, Value), String> {
        self.expected = event.expected;
        self.api.send(event.json);
        let answer = self.answer().await?;
        Ok((answer.answered - answer.delivered, serde_json::from_slice(&answer.body).unwrap()))
    }

    async fn answer(&mut self) -> Result<Answer, String> {
        let answer = self.api.answer().await.ok_or("it does not answer")?;
        let reply: Value = serde_json::from_slice(&answer.body).unwrap();
        // The answer of `worker` has no status.
        if reply.get("statusCode").map_or(self.expected == 0, |code| *code == self.expected) {
            Ok(answer)
        } else {
            Err(reply.to_string())
        }
    }

    fn fail(&self, why: &str) -> ! {
        panic!("{}: {why}\n{}", self.program.name, self.log())
    }

    /// What the process has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.program.log).unwrap()
    }

    /// Waits until the process waits for the next event and uses no CPU.
    pub async fn rest(&mut self) {
        loop {
            let before = self.cpu();
            tokio::time::sleep(Duration::from_millis(200)).await;
            if self.cpu() == before {
                return;
            }
        }
    }

    /// Ends the process with SIGTERM, so that a launcher can still write its report.
    pub fn end(mut self) {
        let asked = Command::new("sh").args(["-c", "kill -TERM $0", &self.id().to_string()]).status().unwrap();
        assert!(asked.success());
        self.process.wait().unwrap();
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The CPU time of all threads.
    pub fn cpu(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.id())).unwrap();
        let nanoseconds = tasks.filter_map(|task| {
            let said = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
            said.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanoseconds.sum())
    }

    pub fn memory(&self) -> Memory {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let mib = |name| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
        };
        Memory { resident: mib("VmRSS:"), most: mib("VmHWM:") }
    }
}

impl Drop for Function<'_> {
    fn drop(&mut self) {
        if self.process.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.process.kill().unwrap();
            self.process.wait().unwrap();
        }
    }
}
