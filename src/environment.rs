//! Environment variables. An empty variable counts as absent.

use std::env::VarError;
use std::error::Error;

/// A missing or unusable variable. The text names the variable and never quotes its value.
#[derive(Debug, thiserror::Error)]
#[error("{variable}: {problem}")]
pub struct ConfigError {
    variable: &'static str,
    problem: String,
    #[source]
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl ConfigError {
    pub(crate) fn new(variable: &'static str, problem: impl Into<String>) -> Self {
        Self { variable, problem: problem.into(), cause: None }
    }

    pub(crate) fn caused_by(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }
}

/// Where variables are read: the environment of the process, or a map in a test.
pub trait Environment {
    /// # Errors
    /// [`ConfigError`] if the value is not UTF-8.
    fn get(&self, variable: &'static str) -> Result<Option<String>, ConfigError>;

    /// # Errors
    /// [`ConfigError`] if the variable is missing.
    fn require(&self, variable: &'static str) -> Result<String, ConfigError> {
        self.get(variable)?.ok_or_else(|| ConfigError::new(variable, "is missing"))
    }
}

pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn get(&self, variable: &'static str) -> Result<Option<String>, ConfigError> {
        match std::env::var(variable) {
            Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => Err(ConfigError::new(variable, "is not UTF-8")),
        }
    }
}
