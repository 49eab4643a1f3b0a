// SPDX-License-Identifier: GPL-2.0
//! The loop of the terminal program: wait for a key or for the time of the next sample.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::DefaultTerminal;

use crate::rates::Interval;
use crate::source::Source;
use crate::stats::Sample;
use crate::view::View;

/// Handles a key; returns false to quit.
fn key(view: &mut View, key: KeyEvent) -> bool {
    if key.kind == KeyEventKind::Release {
        return true;
    }
    match key.code {
        KeyCode::Char('q') | KeyCode::Esc => return false,
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return false,
        KeyCode::Char(' ') => view.paused = !view.paused,
        KeyCode::Char('s') => view.sort = view.sort.next(),
        KeyCode::Down => view.scroll += 1,
        KeyCode::Up => view.scroll = view.scroll.saturating_sub(1),
        KeyCode::PageDown => view.scroll += 10,
        KeyCode::PageUp => view.scroll = view.scroll.saturating_sub(10),
        _ => {}
    }
    true
}

/// Runs until the user quits. The terminal is as before afterwards, also after a panic.
pub fn run(source: &Source, first: Sample, every: Duration) -> Result<(), String> {
    if !io::stdout().is_terminal() {
        return Err("the standard output is no terminal: use --once or --json".into());
    }
    let mut terminal = ratatui::try_init().map_err(|e| format!("no terminal: {e}"))?;
    let result = watch(&mut terminal, source, first, every);
    ratatui::restore();
    result.map_err(|e| format!("the terminal: {e}"))
}

fn watch(
    terminal: &mut DefaultTerminal,
    source: &Source,
    first: Sample,
    every: Duration,
) -> io::Result<()> {
    let mut view = View::default();
    let mut interval = Interval::first(first);
    let mut taken = Instant::now();
    let mut next = taken + every;
    loop {
        terminal.draw(|frame| view.draw(frame, &interval, every))?;
        if event::poll(next.saturating_duration_since(Instant::now()))? {
            match event::read()? {
                Event::Key(pressed) if !key(&mut view, pressed) => return Ok(()),
                _ => continue,
            }
        }
        if Instant::now() < next {
            continue;
        }
        next = Instant::now() + every;
        if view.paused {
            continue;
        }
        match source.read() {
            Ok(sample) => {
                interval.add(sample, taken.elapsed());
                taken = Instant::now();
                view.problem = None;
            }
            // debugfs may have been unmounted; it may come back.
            Err(problem) => view.problem = Some(problem),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        let mut view = View::default();
        let mut press = |code| key(&mut view, KeyEvent::new(code, KeyModifiers::NONE));
        assert!(press(KeyCode::Char('s')) && press(KeyCode::Down) && press(KeyCode::Char(' ')));
        assert!(press(KeyCode::Up) && press(KeyCode::Up) && press(KeyCode::Char('x')));
        assert!(!press(KeyCode::Char('q')) && !press(KeyCode::Esc));
        assert_eq!((view.scroll, view.paused), (0, true));
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert!(!key(&mut view, interrupt));
    }
}
