//! How the cost of a request grows with the order's lines, with its history, and with the number of processes.

use std::time::Instant;

use crate::figures::Sample;
use crate::programs::Programs;
use crate::support::events::{self, Event};
use crate::support::function::{Function, ms};
use crate::support::table::{print_table, short};
use crate::support::world::World;

const SIZES: [usize; 4] = [1, 10, 100, 1_000];
const PROCESSES: [usize; 5] = [1, 2, 4, 8, 16];
const REQUESTS: usize = 50;

/// Wall-clock and CPU time of one request, in ms.
struct Cost {
    wall: f64,
    cpu: f64,
}

/// Measures, and prints three tables.
pub async fn measure(world: &World, programs: &Programs) {
    println!("\nGrowth with the lines of an order, ms each:");
    let mut orders = warm(world, programs).await;
    let mut rows = Vec::new();
    for lines in SIZES {
        let cost = cost(&mut orders, || events::order_of(lines)).await;
        rows.push(vec![lines.to_string(), short(cost.wall), short(cost.cpu), short(cost.cpu / lines as f64 * 1_000.0)]);
    }
    print_table(&["lines", "wall", "CPU", "CPU µs a line"], &rows);

    println!("\nGrowth with the history of an order, ms each:");
    let mut callbacks = Function::start(&programs.callbacks, &world.neighbours, None).await;
    let mut rows = Vec::new();
    // A callback adds an entry, so the largest history must have room for one.
    for entries in SIZES {
        let order = || world.store(entries.min(999));
        let callback = cost(&mut callbacks, || events::callback(&order())).await;
        let read = cost(&mut orders, || events::read(order()["orderId"]["S"].as_str().unwrap())).await;
        let costs = [callback.wall, callback.cpu, read.wall, read.cpu].map(short);
        rows.push([vec![entries.to_string()], costs.to_vec()].concat());
    }
    print_table(&["entries", "callback wall", "callback CPU", "read wall", "read CPU"], &rows);

    println!("\nProcesses side by side (a process has one request at a time):");
    let mut rows = Vec::new();
    for processes in PROCESSES {
        rows.push(side_by_side(world, programs, processes).await);
    }
    print_table(&["processes", "orders a second", "p50 ms", "p99 ms", "CPU ms an order"], &rows);
}

async fn warm<'a>(world: &World, programs: &'a Programs) -> Function<'a> {
    let mut function = Function::start(&programs.orders, &world.neighbours, None).await;
    for _ in 0..REQUESTS {
        function.invoke(events::order()).await;
    }
    function
}

async fn cost(function: &mut Function<'_>, event: impl Fn() -> Event) -> Cost {
    let mut wall = Sample::default();
    function.invoke(event()).await;
    let events: Vec<_> = (0..REQUESTS).map(|_| event()).collect();
    // Making the events takes so long that idle connections become too old, so one request opens new ones.
    function.invoke(event()).await;
    let before = function.cpu();
    for event in events {
        wall.add(ms(function.invoke(event).await));
    }
    Cost { wall: wall.median(), cpu: ms(function.cpu() - before) / REQUESTS as f64 }
}

async fn side_by_side(world: &World, programs: &Programs, processes: usize) -> Vec<String> {
    let mut functions = Vec::new();
    for _ in 0..processes {
        functions.push(warm(world, programs).await);
    }
    let before: f64 = functions.iter().map(|function| ms(function.cpu())).sum();
    let started = Instant::now();
    let runs = functions.iter_mut().map(|function| async {
        let mut took = Vec::new();
        for _ in 0..REQUESTS * 2 {
            took.push(ms(function.invoke(events::order()).await));
        }
        took
    });
    let mut wall = Sample::default();
    futures_util::future::join_all(runs).await.into_iter().flatten().for_each(|took| wall.add(took));
    let elapsed = started.elapsed().as_secs_f64();
    let orders = (processes * REQUESTS * 2) as f64;
    let cpu = (functions.iter().map(|function| ms(function.cpu())).sum::<f64>() - before) / orders;
    vec![processes.to_string(), short(orders / elapsed), short(wall.median()), short(wall.quantile(0.99)), short(cpu)]
}
