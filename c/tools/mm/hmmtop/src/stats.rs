// SPDX-License-Identifier: GPL-2.0
//! The format of the files: a line `version=1`, then one object a line, with fields
//! `name=value`. Later kernels may add fields, which are ignored.

use std::collections::HashMap;
use std::str::FromStr;

use serde::Serialize;

/// The version that is read.
pub const VERSION: u32 = 1;

/// A mirror: one process as one device sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Mirror {
    pub mirror: u64,
    pub pid: u32,
    pub owner: u64,
    pub ranges: u64,
    pub mirrored: u64,
    pub resident: u64,
    pub faults: u64,
    pub populated: u64,
    pub errors: u64,
    pub retries_invalidated: u64,
    pub retries_dropped: u64,
    pub invalidations: u64,
    pub driver: String,
    pub comm: String,
}

/// The memory of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Memory {
    pub devmem: u64,
    pub owner: u64,
    #[serde(rename = "type")]
    pub kind: String,
    pub size: u64,
    pub used: u64,
    pub retired: u64,
    pub to_device: u64,
    pub from_device: u64,
    pub cpu_faults: u64,
    pub evictions: u64,
    pub evicted: u64,
    pub orders: Vec<u64>,
    pub driver: String,
    pub name: String,
}

/// Both files, read one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sample {
    pub version: u32,
    pub mirrors: Vec<Mirror>,
    pub memories: Vec<Memory>,
}

impl Sample {
    /// Parses the contents of `mirrors` and of `devmem`. A kernel without device memory has
    /// no second one.
    pub fn parse(mirrors: &str, memories: Option<&str>) -> Result<Self, String> {
        Ok(Self {
            version: VERSION,
            mirrors: objects(mirrors, "mirrors")?
                .map(|line| mirror(&line?))
                .collect::<Result<_, _>>()?,
            memories: match memories {
                Some(text) => objects(text, "devmem")?
                    .map(|line| memory(&line?))
                    .collect::<Result<_, _>>()?,
                None => Vec::new(),
            },
        })
    }

    /// The memories of an owner, which the number of the first of them stands for.
    pub fn memories_of(&self, owner: u64) -> impl Iterator<Item = &Memory> {
        self.memories
            .iter()
            .filter(move |memory| owner != 0 && memory.owner == owner)
    }

    /// What the devices of a mirror are called.
    pub fn device_of(&self, mirror: &Mirror) -> String {
        let mut names: Vec<_> = self
            .memories_of(mirror.owner)
            .map(|m| m.name.clone())
            .collect();
        match names.len() {
            0 => "-".into(),
            1 => names.remove(0),
            n => format!("{}+{}", names[0], n - 1),
        }
    }
}

/// The fields of a line.
struct Fields<'a> {
    file: &'static str,
    fields: HashMap<&'a str, &'a str>,
}

impl Fields<'_> {
    fn text(&self, name: &str) -> Result<&str, String> {
        let field = self.fields.get(name).copied();
        field.ok_or_else(|| format!("{}: a line has no field {name}", self.file))
    }

    fn number<T: FromStr>(&self, name: &str) -> Result<T, String> {
        let text = self.text(name)?;
        text.parse()
            .map_err(|_| format!("{}: {name}={text} is no number", self.file))
    }

    fn name(&self, name: &str) -> Result<String, String> {
        self.text(name).map(unescape)
    }
}

fn objects<'a>(
    text: &'a str,
    file: &'static str,
) -> Result<impl Iterator<Item = Result<Fields<'a>, String>>, String> {
    let mut lines = text.lines();
    match lines.next().and_then(|line| line.strip_prefix("version=")) {
        Some(version) if version == VERSION.to_string() => {}
        Some(version) => {
            return Err(format!(
                "{file} has version {version} of the format, and this hmmtop reads {VERSION}: \
                 use the hmmtop that came with the running kernel"
            ))
        }
        None => {
            return Err(format!(
                "{file} does not begin with version=: it is no file of HMM's"
            ))
        }
    }
    Ok(lines.map(move |line| {
        let fields = line
            .split(' ')
            .map(|field| field.split_once('='))
            .collect::<Option<_>>()
            .ok_or_else(|| format!("{file}: not a line of fields: {line}"))?;
        Ok(Fields { file, fields })
    }))
}

fn mirror(fields: &Fields<'_>) -> Result<Mirror, String> {
    Ok(Mirror {
        mirror: fields.number("mirror")?,
        pid: fields.number("pid")?,
        owner: fields.number("owner")?,
        ranges: fields.number("ranges")?,
        mirrored: fields.number("mirrored")?,
        resident: fields.number("resident")?,
        faults: fields.number("faults")?,
        populated: fields.number("populated")?,
        errors: fields.number("errors")?,
        retries_invalidated: fields.number("retries_invalidated")?,
        retries_dropped: fields.number("retries_dropped")?,
        invalidations: fields.number("invalidations")?,
        driver: fields.name("driver")?,
        comm: fields.name("comm")?,
    })
}

fn memory(fields: &Fields<'_>) -> Result<Memory, String> {
    let orders = fields.text("orders")?;
    Ok(Memory {
        devmem: fields.number("devmem")?,
        owner: fields.number("owner")?,
        kind: fields.name("type")?,
        size: fields.number("size")?,
        used: fields.number("used")?,
        retired: fields.number("retired")?,
        to_device: fields.number("to_device")?,
        from_device: fields.number("from_device")?,
        cpu_faults: fields.number("cpu_faults")?,
        evictions: fields.number("evictions")?,
        evicted: fields.number("evicted")?,
        orders: orders
            .split(',')
            .map(|n| {
                n.parse()
                    .map_err(|_| format!("devmem: orders={orders} are no numbers"))
            })
            .collect::<Result<_, _>>()?,
        driver: fields.name("driver")?,
        name: fields.name("name")?,
    })
}

/// Undoes the kernel's octal escapes. A process chooses its name, and must not be able to
/// send control sequences to the terminal: such characters become `?`.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        match rest {
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..] => {
                bytes.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                rest = tail;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    text.chars()
        .map(|c| if c.is_control() || is_bidi(c) { '?' } else { c })
        .collect()
}

/// Characters that change the order of those around them.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIRRORS: &str = include_str!("../tests/fixture/mirrors");
    const DEVMEM: &str = include_str!("../tests/fixture/devmem");

    #[test]
    fn fixture() {
        let sample = Sample::parse(MIRRORS, Some(DEVMEM)).unwrap();
        assert_eq!(sample.mirrors.len(), 3);
        assert_eq!(sample.mirrors[0].comm, "hmm-demo");
        assert_eq!(sample.mirrors[0].retries_invalidated, 17);
        assert_eq!(sample.memories.len(), 3);
        assert_eq!(sample.memories[0].kind, "private");
        assert_eq!(sample.memories[0].orders[9], 300);
        assert_eq!(sample.device_of(&sample.mirrors[0]), "hmm_dmirror0");
        assert_eq!(sample.device_of(&sample.mirrors[1]), "hmm_dmirror1+1");
        assert_eq!(sample.device_of(&sample.mirrors[2]), "-");
    }

    #[test]
    fn no_device_memory() {
        let sample = Sample::parse("version=1\n", None).unwrap();
        assert_eq!((sample.mirrors.len(), sample.memories.len()), (0, 0));
    }

    #[test]
    fn fields_of_later_kernels_are_ignored() {
        let later = MIRRORS.replace(" driver=", " colour=blue driver=");
        assert_eq!(Sample::parse(&later, None), Sample::parse(MIRRORS, None));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (mirrors, part) in [
            ("", "does not begin with version="),
            ("version=2\n", "has version 2"),
            ("version=1\nmirror=1 pid=2\n", "no field owner"),
            ("version=1\nmirror\n", "not a line of fields"),
            (&MIRRORS.replace("pid=1234", "pid=x"), "pid=x is no number"),
        ] {
            let error = Sample::parse(mirrors, None).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
        let error = Sample::parse("version=1\n", Some(&DEVMEM.replace("orders=", "orders=a,")));
        assert!(error.unwrap_err().contains("orders=a,"));
    }

    #[test]
    fn names_are_harmless() {
        assert_eq!(unescape(r"a\040b\075c\134"), r"a b=c\");
        assert_eq!(unescape(r"\033[2J"), "?[2J");
        assert_eq!(unescape("\u{202e}x"), "?x");
        assert_eq!(unescape(r"\9\04"), r"\9\04");
        assert_eq!(unescape(r"\377"), "\u{fffd}");
    }
}
