//! Breadth-first search: visits every reachable state once, so that the first counterexample that it
//! finds is one of the shortest.

use std::collections::{HashMap, VecDeque};
use std::fmt;

use crate::promises::Violation;
use crate::state::{Move, State};

/// What a search visited.
#[derive(Debug)]
pub struct Explored {
    /// The number of states.
    pub states: usize,
    /// The number of transitions between them.
    pub transitions: usize,
    /// The number of final states, in which nothing is under way.
    pub ends: usize,
    /// How often `round` was run.
    pub runs: usize,
}

/// A shortest sequence of moves that breaks a promise.
#[derive(Debug)]
pub struct Counterexample {
    /// The promise.
    pub broken: Violation,
    /// The moves, in order.
    pub moves: Vec<Move>,
    told: Vec<String>,
}

/// How a state was first reached.
struct Reached {
    from: usize,
    by: Option<Move>,
}

/// Visits every reachable state.
///
/// # Errors
/// When a promise is broken, or no final state can be reached from some state.
pub fn explore(start: &State) -> Result<Explored, Box<Counterexample>> {
    let mut known = HashMap::from([(start.digest(), 0)]);
    let mut reached = vec![Reached { from: 0, by: None }];
    let mut back: Vec<Vec<u32>> = vec![Vec::new()];
    let mut quiet = Vec::new();
    let mut transitions = 0;
    let mut next = VecDeque::from([(0, start.clone())]);
    while let Some((from, state)) = next.pop_front() {
        if state.is_quiet() {
            quiet.push(from);
        }
        for happens in state.moves() {
            let after = match state.after(happens) {
                Ok(after) => after,
                Err(broken) => {
                    let mut moves = path(&reached, from);
                    moves.push(happens);
                    return Err(Box::new(Counterexample::new(start, moves, broken)));
                }
            };
            transitions += 1;
            let id = *known.entry(after.digest()).or_insert_with(|| {
                reached.push(Reached {
                    from,
                    by: Some(happens),
                });
                back.push(Vec::new());
                next.push_back((reached.len() - 1, after));
                reached.len() - 1
            });
            back[id].push(from as u32);
        }
    }
    let ends = quiet.len();
    if let Some(stuck) = never_quiet(&back, quiet) {
        let broken = "no final state can be reached from here".to_owned();
        let moves = path(&reached, stuck);
        return Err(Box::new(Counterexample::new(start, moves, broken)));
    }
    Ok(Explored {
        states: reached.len(),
        transitions,
        ends,
        runs: start.rounds.runs.get(),
    })
}

/// A state from which no final state can be reached.
fn never_quiet(back: &[Vec<u32>], mut quiet: Vec<usize>) -> Option<usize> {
    let mut ends = vec![false; back.len()];
    while let Some(id) = quiet.pop() {
        if !std::mem::replace(&mut ends[id], true) {
            quiet.extend(back[id].iter().map(|from| *from as usize));
        }
    }
    ends.iter().position(|ends| !ends)
}

fn path(reached: &[Reached], mut id: usize) -> Vec<Move> {
    let mut moves = Vec::new();
    while let Reached { from, by: Some(by) } = reached[id] {
        moves.push(by);
        id = from;
    }
    moves.reverse();
    moves
}

/// Applies the moves in order.
///
/// # Errors
/// When a move breaks a promise.
pub fn replay(start: &State, moves: &[Move]) -> Result<(), Violation> {
    let mut state = start.clone();
    for happens in moves {
        state = state.after(*happens)?;
    }
    Ok(())
}

impl Counterexample {
    fn new(start: &State, moves: Vec<Move>, broken: Violation) -> Self {
        let mut told = Vec::new();
        let mut state = start.clone();
        for happens in &moves {
            told.push(state.tell(*happens));
            let Ok(after) = state.after(*happens) else {
                break;
            };
            let registered = &after.world.registered;
            if *registered != state.world.registered {
                told.push(format!("    registered is now {registered}"));
            }
            state = after;
        }
        Self {
            broken,
            moves,
            told,
        }
    }
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.told {
            writeln!(f, "  {line}")?;
        }
        write!(f, "{}", self.broken)
    }
}
