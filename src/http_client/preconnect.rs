//! Opens a connection before there is a request. So init pays for the handshake, and the service gets no request.
//!
//! reqwest has no function for this. So a layer around its connector keeps the first connection, makes that attempt to
//! connect fail, and returns the kept connection to the next attempt.

use std::any::Any;
use std::error::Error;
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

type BoxError = Box<dyn Error + Send + Sync>;

/// Holds one connection for the next attempt to connect.
#[derive(Clone)]
pub(super) struct Preconnect {
    clock: Clock,
    max_idle: Duration,
    slot: Arc<Mutex<Slot>>,
    is_ready: Arc<Notify>,
}

enum Slot {
    Empty,
    /// The next connection is kept here.
    Requested,
    /// The connection and when it was opened. reqwest does not export its type.
    Ready(Box<dyn Any + Send>, Timestamp),
}

impl Preconnect {
    pub(super) fn new(clock: Clock, max_idle: Duration) -> Self {
        Self { clock, max_idle, slot: Arc::new(Mutex::new(Slot::Empty)), is_ready: Arc::default() }
    }

    /// Runs `exchange` until it has opened a connection, and drops it before it sends a byte.
    pub(super) async fn run<T>(&self, exchange: impl Future<Output = T>) {
        *self.slot() = Slot::Requested;
        let _request = Request(self);
        tokio::select! {
            biased;
            () = self.is_ready.notified() => {}
            _ = exchange => {}
        }
    }

    fn offer<C: Send + 'static>(&self, connection: C) -> Result<C, BoxError> {
        let mut slot = self.slot();
        if !matches!(*slot, Slot::Requested) {
            return Ok(connection);
        }
        *slot = Slot::Ready(Box::new(connection), self.clock.now());
        self.is_ready.notify_one();
        Err("the connection is kept for the next request".into())
    }

    /// The connection, if the service is certain to still have it open.
    fn take<C: Read + Unpin + 'static>(&self) -> Option<C> {
        let mut slot = self.slot();
        if !matches!(*slot, Slot::Ready(..)) {
            return None;
        }
        let Slot::Ready(connection, since) = std::mem::replace(&mut *slot, Slot::Empty) else { return None };
        let is_young = self.clock.now().duration_since(since).unsigned_abs() <= self.max_idle;
        let mut connection = *connection.downcast::<C>().ok()?;
        (is_young && is_open(&mut connection)).then_some(connection)
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A server sends nothing before the first request, so readable data means that the connection has ended.
fn is_open(connection: &mut (impl Read + Unpin)) -> bool {
    let mut byte = [0];
    let mut buffer = ReadBuf::new(&mut byte);
    Pin::new(connection).poll_read(&mut Context::from_waker(Waker::noop()), buffer.unfilled()).is_pending()
}

/// Removes the request for a connection when it is dropped.
struct Request<'p>(&'p Preconnect);

impl Drop for Request<'_> {
    fn drop(&mut self) {
        let mut slot = self.0.slot();
        if matches!(*slot, Slot::Requested) {
            *slot = Slot::Empty;
        }
    }
}

impl<S> Layer<S> for Preconnect {
    type Service = PreconnectedService<S>;

    fn layer(&self, inner: S) -> PreconnectedService<S> {
        PreconnectedService { inner, preconnect: self.clone() }
    }
}

#[derive(Clone)]
pub(super) struct PreconnectedService<S> {
    inner: S,
    preconnect: Preconnect,
}

impl<S, R> Service<R> for PreconnectedService<S>
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
        if let Some(connection) = self.preconnect.take() {
            return Box::pin(std::future::ready(Ok(connection)));
        }
        let (connecting, preconnect) = (self.inner.call(destination), self.preconnect.clone());
        Box::pin(async move { preconnect.offer(connecting.await?) })
    }
}
