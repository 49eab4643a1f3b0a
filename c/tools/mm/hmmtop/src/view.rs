// SPDX-License-Identifier: GPL-2.0
//! What the terminal shows: device memory, mirrors, and the orders of folios.

use std::cmp::Reverse;
use std::time::Duration;

use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Bar, BarChart, BarGroup, Block, Cell, Paragraph, Row, Table};
use ratatui::Frame;

use crate::rates::Interval;
use crate::stats::{Memory, Mirror, Sample};
use crate::text::{bar, cut};
use crate::units;

const BAR: usize = 16;

/// By what mirrors are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Resident,
    Faults,
    Pid,
}

impl Sort {
    pub fn next(self) -> Self {
        match self {
            Self::Resident => Self::Faults,
            Self::Faults => Self::Pid,
            Self::Pid => Self::Resident,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Resident => "resident",
            Self::Faults => "faults",
            Self::Pid => "pid",
        }
    }
}

/// What the user has chosen.
#[derive(Clone, Debug, Default)]
pub struct View {
    pub sort: Sort,
    pub paused: bool,
    /// The first mirror that is shown.
    pub scroll: usize,
    /// Why there is no newer sample.
    pub problem: Option<String>,
}

impl View {
    /// Draws everything. Lowers `scroll` if there are fewer mirrors now.
    pub fn draw(&mut self, frame: &mut Frame<'_>, interval: &Interval, every: Duration) {
        let sample = &interval.now;
        let memories = u16::try_from(sample.memories.len().max(1) + 3).unwrap_or(u16::MAX);
        let [head, devices, mirrors, orders] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(memories.min(frame.area().height / 3).max(4)),
            Constraint::Min(4),
            Constraint::Length(8),
        ])
        .areas(frame.area());
        self.head(frame, head, sample, every);
        draw_memories(frame, devices, interval);
        self.mirrors(frame, mirrors, interval);
        draw_orders(frame, orders, sample);
    }

    fn head(&self, frame: &mut Frame<'_>, area: Rect, sample: &Sample, every: Duration) {
        let state = match &self.problem {
            Some(problem) => problem.lines().next().unwrap_or_default().to_string(),
            None if self.paused => "paused".into(),
            None => format!("every {} s", every.as_secs_f64()),
        };
        let text = format!(
            "hmmtop  {} mirrors, {} device memories, {state}, by {}  [q]uit [s]ort [space] pause",
            sample.mirrors.len(),
            sample.memories.len(),
            self.sort.name()
        );
        let style = match self.problem {
            Some(_) => Style::new().fg(Color::Red),
            None => Style::new().add_modifier(Modifier::BOLD),
        };
        frame.render_widget(Paragraph::new(text).style(style), area);
    }

    fn mirrors(&mut self, frame: &mut Frame<'_>, area: Rect, interval: &Interval) {
        let mut mirrors: Vec<_> = interval.now.mirrors.iter().collect();
        match self.sort {
            Sort::Resident => mirrors.sort_by_key(|m| Reverse(m.resident)),
            Sort::Faults => mirrors.sort_by_key(|m| Reverse(interval.mirror(m).faults as u64)),
            Sort::Pid => mirrors.sort_by_key(|m| (m.pid, m.mirror)),
        }
        let room = usize::from(area.height.saturating_sub(3));
        self.scroll = self.scroll.min(mirrors.len().saturating_sub(room));
        let rows = mirrors
            .iter()
            .skip(self.scroll)
            .map(|mirror| mirror_row(interval, mirror));
        let header = [
            "PID", "COMMAND", "DEVICE", "RESIDENT", "", "MIRRORED", "FAULT/s", "IN/s", "RETRY/s",
            "INVAL/s",
        ];
        let widths = [7, 16, 16, 8, BAR as u16 + 2, 8, 7, 6, 7, 7];
        let title = match mirrors.len().saturating_sub(room) {
            0 => " Mirrors ".into(),
            _ => format!(" Mirrors, from {} of {} ", self.scroll + 1, mirrors.len()),
        };
        frame.render_widget(table(rows, header, widths, title), area);
    }
}

/// The name of a column, above its text or its numbers.
fn head(name: &'static str) -> Cell<'static> {
    match name {
        "COMMAND" | "DEVICE" | "DRIVER" | "TYPE" => Cell::new(name),
        _ => number(name.into()),
    }
}

fn table<'a, const N: usize>(
    rows: impl Iterator<Item = Row<'a>>,
    header: [&'static str; N],
    widths: [u16; N],
    title: String,
) -> Table<'a> {
    Table::new(rows, widths.map(Constraint::Length))
        .header(Row::new(header.map(head)).style(Style::new().add_modifier(Modifier::UNDERLINED)))
        .block(Block::bordered().title(title))
}

/// A number, at the right of its column.
fn number(text: String) -> Cell<'static> {
    Cell::new(Line::from(text).right_aligned())
}

fn bar_cell(part: u64, whole: u64) -> Cell<'static> {
    let share = if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    };
    let color = match share {
        s if s > 0.9 => Color::Red,
        s if s > 0.7 => Color::Yellow,
        _ => Color::Green,
    };
    Cell::new(format!("[{}]", bar(part, whole, BAR))).style(Style::new().fg(color))
}

/// The bar of a mirror is its part of the memory of its devices.
fn mirror_row(interval: &Interval, mirror: &Mirror) -> Row<'static> {
    let rates = interval.mirror(mirror);
    let size = interval.now.memories_of(mirror.owner).map(|m| m.size).sum();
    Row::new([
        number(mirror.pid.to_string()),
        Cell::new(cut(&mirror.comm, 16)),
        Cell::new(cut(&interval.now.device_of(mirror), 16)),
        number(units::bytes(mirror.resident as f64)),
        bar_cell(mirror.resident, size),
        number(units::bytes(mirror.mirrored as f64)),
        number(units::count(rates.faults)),
        number(units::bytes(rates.populated)),
        number(units::count(rates.retries)),
        number(units::count(rates.invalidations)),
    ])
}

fn memory_row(interval: &Interval, memory: &Memory) -> Row<'static> {
    let rates = interval.memory(memory);
    Row::new([
        Cell::new(cut(&memory.name, 16)),
        Cell::new(cut(&memory.driver, 16)),
        Cell::new(memory.kind.clone()),
        number(units::bytes(memory.used as f64)),
        bar_cell(memory.used, memory.size),
        number(units::bytes(memory.size as f64)),
        number(units::bytes(rates.to_device)),
        number(units::bytes(rates.from_device)),
        number(units::bytes(rates.evicted)),
        number(units::count(rates.cpu_faults)),
    ])
}

fn draw_memories(frame: &mut Frame<'_>, area: Rect, interval: &Interval) {
    let rows = interval
        .now
        .memories
        .iter()
        .map(|m| memory_row(interval, m));
    let header = [
        "DEVICE", "DRIVER", "TYPE", "USED", "", "SIZE", "IN/s", "OUT/s", "EVICT/s", "FAULT/s",
    ];
    let widths = [16, 16, 8, 6, BAR as u16 + 2, 6, 6, 6, 7, 7];
    frame.render_widget(table(rows, header, widths, " Device memory ".into()), area);
}

/// The folios of all memories that were allocated, by order.
fn draw_orders(frame: &mut Frame<'_>, area: Rect, sample: &Sample) {
    let mut sums: Vec<u64> = Vec::new();
    for memory in &sample.memories {
        sums.resize(sums.len().max(memory.orders.len()), 0);
        for (sum, count) in sums.iter_mut().zip(&memory.orders) {
            *sum += count;
        }
    }
    let bars: Vec<_> = sums
        .iter()
        .enumerate()
        .map(|(order, count)| {
            // Single pages are often thousands of times as many.
            Bar::default()
                .value(if *count > 0 {
                    (*count as f64).log2() as u64 + 1
                } else {
                    0
                })
                .text_value(units::count(*count as f64))
                .label(Line::from(order.to_string()))
        })
        .collect();
    let chart = BarChart::default()
        .block(Block::bordered().title(" Folios allocated by order, logarithmic "))
        .bar_width(5)
        .data(BarGroup::default().bars(&bars));
    frame.render_widget(chart, area);
}

#[cfg(test)]
mod tests {
    use ratatui::backend::TestBackend;
    use ratatui::Terminal;

    use super::*;

    fn fixture() -> Sample {
        let devmem = include_str!("../tests/fixture/devmem");
        Sample::parse(include_str!("../tests/fixture/mirrors"), Some(devmem)).unwrap()
    }

    /// Two seconds in which the first mirror had 100 faults, and the first memory got 64 MiB.
    fn interval() -> Interval {
        let mut interval = Interval::first(fixture());
        let mut later = fixture();
        later.mirrors[0].faults += 100;
        later.mirrors[0].retries_dropped += 8;
        later.memories[0].to_device += 64 << 20;
        interval.add(later, Duration::from_secs(2));
        interval
    }

    fn drawn(view: &mut View, interval: &Interval, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal
            .draw(|frame| view.draw(frame, interval, Duration::from_secs(2)))
            .unwrap();
        terminal.backend().to_string()
    }

    /// The characters of a line of the screen, which TestBackend has in quotes.
    fn line<'a>(screen: &'a str, with: &str) -> &'a str {
        screen
            .lines()
            .find(|l| l.contains(with))
            .unwrap_or_else(|| panic!("no {with}:\n{screen}"))
    }

    #[test]
    fn whole_screen() {
        let screen = drawn(&mut View::default(), &interval(), 120, 30);
        crate::expect_file("screen.txt", &screen);
    }

    #[test]
    fn rates_and_bars() {
        let screen = drawn(&mut View::default(), &interval(), 120, 30);
        let demo = line(&screen, "hmm-demo");
        // 100 faults and 8 retries in two seconds; 384 of 512 MiB.
        assert!(demo.contains(" 50 ") && demo.contains(" 4 "), "{demo}");
        assert!(demo.contains("[############....]"), "{demo}");
        let memory = line(&screen, "private    384M");
        assert!(memory.contains(" 32M "), "{memory}");
    }

    #[test]
    fn sorts() {
        let first = |sort| {
            let mut view = View {
                sort,
                ..Default::default()
            };
            let screen = drawn(&mut view, &interval(), 120, 30);
            let lines: Vec<_> = screen.lines().collect();
            let head = lines.iter().position(|l| l.contains("COMMAND")).unwrap();
            lines[head + 1].to_string()
        };
        assert!(first(Sort::Resident).contains("hmm-demo"));
        assert!(first(Sort::Faults).contains("hmm-demo"));
        assert!(first(Sort::Pid).contains("      0 "));
        assert_eq!(Sort::Pid.next(), Sort::Resident);
    }

    #[test]
    fn scrolls_to_the_last() {
        let mut sample = fixture();
        for pid in 0..40 {
            sample.mirrors.push(Mirror {
                pid,
                mirror: 100 + u64::from(pid),
                ..Default::default()
            });
        }
        let mut view = View {
            scroll: 1000,
            ..Default::default()
        };
        let screen = drawn(&mut view, &Interval::first(sample), 120, 30);
        assert!(view.scroll < 43 && screen.contains("of 43"), "{screen}");
    }

    #[test]
    fn any_size_and_no_data() {
        for (width, height) in [(1, 1), (20, 5), (80, 24), (300, 100)] {
            drawn(&mut View::default(), &interval(), width, height);
            drawn(
                &mut View::default(),
                &Interval::first(Sample::default()),
                width,
                height,
            );
        }
    }

    #[test]
    fn a_problem_is_shown() {
        let mut view = View {
            problem: Some("debugfs is gone".into()),
            ..Default::default()
        };
        assert!(drawn(&mut view, &interval(), 120, 30).contains("debugfs is gone"));
    }
}
