//! A connection that is opened before there is anything to send: what a handshake costs is paid in init.

use std::any::Any;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hyper::rt::{Read, ReadBuf};
use jiff::Timestamp;
use tokio::sync::Notify;
use tower_layer::Layer;
use tower_service::Service;

use crate::clock::Clock;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The place of one connection, between a client's pool and its connector.
#[derive(Clone)]
pub(super) struct Kept {
    clock: Clock,
    idle: Duration,
    place: Arc<Mutex<Place>>,
    is_kept: Arc<Notify>,
}

enum Place {
    Empty,
    /// The next connection is to be kept, and whoever asked for it to fail.
    Wanted,
    /// Of a type that reqwest does not name.
    Taken(Box<dyn Any + Send>, Timestamp),
}

/// While it lives, the next connection is kept.
pub(super) struct Keeping<'k>(&'k Kept);

impl Kept {
    pub(super) fn new(clock: Clock, idle: Duration) -> Self {
        Self { clock, idle, place: Arc::new(Mutex::new(Place::Empty)), is_kept: Arc::default() }
    }

    pub(super) fn keep_next(&self) -> Keeping<'_> {
        *self.place() = Place::Wanted;
        Keeping(self)
    }

    /// Keeps the connection where that is wanted; whoever asked for it goes without.
    fn keep<C: Send + 'static>(&self, connection: C) -> Result<C, BoxError> {
        let mut place = self.place();
        if !matches!(*place, Place::Wanted) {
            return Ok(connection);
        }
        *place = Place::Taken(Box::new(connection), self.clock.now());
        self.is_kept.notify_one();
        Err("the connection is kept for the next exchange".into())
    }

    /// The kept connection, if it is young and its other end is still there.
    fn take<C: Read + Unpin + 'static>(&self) -> Option<C> {
        let mut place = self.place();
        let (connection, opened_at) = match std::mem::replace(&mut *place, Place::Empty) {
            Place::Taken(connection, opened_at) => (connection, opened_at),
            other => {
                *place = other;
                return None;
            }
        };
        let is_young = self.clock.now().duration_since(opened_at).unsigned_abs() <= self.idle;
        let mut connection = *connection.downcast::<C>().ok()?;
        (is_young && is_open(&mut connection)).then_some(connection)
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Before anything is sent there is nothing to read, but that the other end has gone.
fn is_open(connection: &mut (impl Read + Unpin)) -> bool {
    let mut byte = [0];
    let mut buffer = ReadBuf::new(&mut byte);
    Pin::new(connection).poll_read(&mut Context::from_waker(Waker::noop()), buffer.unfilled()).is_pending()
}

impl Keeping<'_> {
    /// Until there is one.
    pub(super) async fn done(&self) {
        self.0.is_kept.notified().await;
    }
}

impl Drop for Keeping<'_> {
    fn drop(&mut self) {
        let mut place = self.0.place();
        if matches!(*place, Place::Wanted) {
            *place = Place::Empty;
        }
    }
}

impl<S> Layer<S> for Kept {
    type Service = Connector<S>;

    fn layer(&self, inner: S) -> Connector<S> {
        Connector { inner, kept: self.clone() }
    }
}

/// A connector that has the kept connection to give first.
#[derive(Clone)]
pub(super) struct Connector<S> {
    inner: S,
    kept: Kept,
}

impl<S, R> Service<R> for Connector<S>
where
    S: Service<R, Error = BoxError>,
    S::Response: Read + Unpin + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, destination: R) -> Self::Future {
        if let Some(connection) = self.kept.take() {
            return Box::pin(std::future::ready(Ok(connection)));
        }
        let (connecting, kept) = (self.inner.call(destination), self.kept.clone());
        Box::pin(async move { kept.keep(connecting.await?) })
    }
}
