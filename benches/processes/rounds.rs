//! The measurements of the comparison. Each round measures all programs in turn, so that disturbances of the machine affect
//! all of them.

use std::time::Duration;

use crate::figures::Figures;
use crate::support::events::{self, Event};
use crate::support::function::{Function, ms};
use crate::support::program::Program;
use crate::support::world::World;
use crate::throttle::Throttle;

/// Requests between two measurements of the CPU time.
const BATCH: usize = 50;
/// Longer than idle connections are kept.
const REST: Duration = Duration::from_secs(6);
const RESTS: usize = 5;
const FAR_MS: u64 = 10;

/// A program and what it is sent.
pub struct Subject<'a> {
    pub program: &'a Program,
    pub sent: Sent,
    pub figures: Figures,
}

/// What a program is sent.
#[derive(Clone, Copy)]
pub enum Sent {
    /// Orders, for a program that ignores them.
    Ignored,
    Orders,
    Callbacks,
    Reads,
}

/// An event that has not been sent yet.
fn event(world: &World, sent: Sent) -> Event {
    match sent {
        Sent::Ignored => Event { expected: 200, ..events::order() },
        Sent::Orders => events::order(),
        Sent::Callbacks => world.callback(),
        Sent::Reads => world.read(),
    }
}

/// Measures cold starts: with fast services, with slow ones, and with a part of a core after init.
pub async fn starts(world: &World, subjects: &mut [Subject<'_>], rounds: usize) -> Result<(), String> {
    // The first starts only fill the page cache.
    for subject in subjects.iter() {
        start(world, subject).await.first().await;
    }
    for _ in 0..rounds {
        for subject in subjects.iter_mut() {
            let mut function = start(world, subject).await;
            let init = function.init().await;
            let (first, cold) = function.first().await;
            subject.figures.init.add(ms(init));
            subject.figures.first.add(ms(first));
            subject.figures.cold.add(ms(cold));
            subject.figures.cold_cpu.add(ms(function.cpu()));
        }
    }
    world.neighbours.set_latency(FAR_MS);
    for _ in 0..rounds {
        for subject in subjects.iter_mut() {
            let (first, cold) = start(world, subject).await.first().await;
            subject.figures.first_far.add(ms(first));
            subject.figures.cold_far.add(ms(cold));
        }
    }
    world.neighbours.set_latency(0);
    let throttle = Throttle::new()?;
    for _ in 0..rounds {
        for subject in subjects.iter_mut() {
            let mut function = Function::start(subject.program, &world.neighbours, None).await;
            function.init().await;
            throttle.limit(function.id());
            // Wait for the next period, which begins with a full quota.
            tokio::time::sleep(Duration::from_millis(40)).await;
            let first = function.invoke(event(world, subject.sent)).await;
            subject.figures.first_throttled.add(ms(first));
        }
    }
    Ok(())
}

async fn start<'a>(world: &World, subject: &Subject<'a>) -> Function<'a> {
    Function::start(subject.program, &world.neighbours, Some(event(world, subject.sent))).await
}

/// Measures requests to warm processes, in batches; then single ones after a rest.
pub async fn warm(world: &World, subjects: &mut [Subject<'_>], requests: usize) {
    let mut functions = Vec::new();
    for subject in subjects.iter() {
        let mut function = start(world, subject).await;
        function.first().await;
        for _ in 0..BATCH {
            function.invoke(event(world, subject.sent)).await;
        }
        functions.push(function);
    }
    for _ in 0..requests.div_ceil(BATCH) {
        for (subject, function) in subjects.iter_mut().zip(&mut functions) {
            let events: Vec<_> = (0..BATCH).map(|_| event(world, subject.sent)).collect();
            // Wakes the process, which was idle while the others were measured.
            function.invoke(event(world, subject.sent)).await;
            world.neighbours.take_counts();
            let before = function.cpu();
            for event in events {
                subject.figures.warm.add(ms(function.invoke(event).await));
            }
            subject.figures.warm_cpu.add(ms(function.cpu() - before) / BATCH as f64);
            subject.figures.calls.add(world.neighbours.take_counts(), BATCH as u64);
        }
    }
    for (subject, function) in subjects.iter_mut().zip(&functions) {
        let memory = function.memory();
        (subject.figures.resident, subject.figures.resident_most) = (memory.resident, memory.most);
    }
    for _ in 0..RESTS {
        tokio::time::sleep(REST).await;
        for (subject, function) in subjects.iter_mut().zip(&mut functions) {
            world.neighbours.take_counts();
            let before = function.cpu();
            subject.figures.rested.add(ms(function.invoke(event(world, subject.sent)).await));
            subject.figures.rested_cpu.add(ms(function.cpu() - before));
            subject.figures.rested_calls.add(world.neighbours.take_counts(), 1);
        }
    }
}
