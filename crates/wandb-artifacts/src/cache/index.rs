//! The index: which objects were verified.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    time::{SystemTime, UNIX_EPOCH},
};

use wandb_core::path::{RelativePath, safe_relative_path};
use wandb_storage::{Algorithm, Directory, Existing, Expected, Found};

use super::{
    CacheError, ObjectKey,
    lock::CacheGuard,
    record::{Boot, LENGTH, Proof, Record, head, number_of},
};

/// An index with fewer records than this is never written anew.
const COMPACT_FROM: usize = 10_000;

/// Records that are read at once.
const PIECE: usize = 4_096;

/// The index of one cache: what the file says, and what is still to be written to it.
#[derive(Debug)]
pub(super) struct Index {
    records: Directory,
    /// The objects that it speaks of.
    objects: Directory,
    /// This run of the machine, where the system tells.
    boot: Option<Boot>,
    name: RelativePath,
    lock: RelativePath,
    known: HashMap<ObjectKey, Proof>,
    pending: Vec<Record>,
    /// Where reading goes on, and in which writing of the file; 0 when there is none that can be read.
    read_to: u64,
    number: u64,
    /// Records in the file, also those that later ones replace.
    in_file: usize,
}

impl Index {
    pub(super) fn new(records: Directory, objects: Directory) -> Self {
        let name = |text| safe_relative_path(text).expect("a plain name is safe");
        Self {
            records,
            objects,
            boot: this_boot(),
            name: name("index"),
            lock: name("index-lock"),
            known: HashMap::new(),
            pending: Vec::new(),
            read_to: 0,
            number: 0,
            in_file: 0,
        }
    }

    pub(super) fn get(&self, key: &ObjectKey) -> Option<&Proof> {
        self.known.get(key)
    }

    pub(super) fn boot(&self) -> Option<Boot> {
        self.boot
    }

    /// The sizes of all proven objects together.
    pub(super) fn proven_bytes(&self) -> u64 {
        let sizes = self.known.values().map(|proof| proof.stat.size);
        sizes.fold(0, u64::saturating_add)
    }

    /// Notes what is known of an object from now on. [`flush`](Self::flush) writes it.
    pub(super) fn note(&mut self, key: ObjectKey, proof: Option<Proof>) {
        match proof {
            Some(proof) => {
                self.known.insert(key, proof);
            }
            None => {
                self.known.remove(&key);
            }
        }
        self.pending.push(Record { key, proof });
    }

    /// Forgets objects that are no longer there: the official client removes some and tells nobody.
    pub(super) fn forget_absent(&mut self, is_there: impl Fn(&ObjectKey) -> bool) {
        let absent: Vec<_> = self.known.keys().filter(|key| !is_there(key)).copied().collect();
        for key in absent {
            self.note(key, None);
        }
    }

    /// Reads what other processes have written since.
    pub(super) fn refresh(&mut self) -> Result<(), CacheError> {
        let Some(file) = self.records.open(&self.name)? else {
            self.forget();
            return Ok(());
        };
        self.read(file)
            .map_err(CacheError::record("read", self.records.path_of(&self.name)))
    }

    fn forget(&mut self) {
        self.known.clear();
        self.read_to = 0;
        self.in_file = 0;
        for record in &self.pending {
            if let Some(proof) = record.proof {
                self.known.insert(record.key, proof);
            }
        }
    }

    fn read(&mut self, mut file: File) -> io::Result<()> {
        let mut start = [0; LENGTH];
        let found = match fill(&mut file, &mut start)? {
            LENGTH => number_of(&start),
            _ => None,
        };
        match found {
            // Another version, or damaged: the next writer begins anew.
            None => {
                self.forget();
                return Ok(());
            }
            Some(number) if number == self.number && self.read_to > 0 => {}
            Some(number) => {
                self.forget();
                self.number = number;
                self.read_to = LENGTH as u64;
            }
        }
        if file.metadata()?.len() <= self.read_to {
            return Ok(());
        }
        file.seek(SeekFrom::Start(self.read_to))?;
        let mut buffer = vec![0; PIECE * LENGTH];
        loop {
            let count = fill(&mut file, &mut buffer)?;
            let whole = count / LENGTH;
            for bytes in buffer[..whole * LENGTH].as_chunks::<LENGTH>().0 {
                self.in_file += 1;
                match Record::decode(bytes) {
                    Some(Record {
                        key,
                        proof: Some(proof),
                    }) if proof.boot.is_none_or(|boot| self.boot == Some(boot)) => {
                        self.known.insert(key, proof);
                    }
                    // Removed, or not known to have outlived the machine's last run.
                    Some(Record { key, .. }) => {
                        self.known.remove(&key);
                    }
                    // Half written when its process or the machine died.
                    None => {}
                }
            }
            self.read_to += (whole * LENGTH) as u64;
            if count < buffer.len() {
                return Ok(());
            }
        }
    }

    /// Writes what was noted, all at once.
    pub(super) fn flush(&mut self) -> Result<(), CacheError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let _alone = CacheGuard::wait_alone(&self.records, &self.lock)?;
        let pending = std::mem::take(&mut self.pending);
        let written = self.append(&pending);
        if written.is_err() {
            self.pending = pending;
        }
        written
    }

    fn append(&mut self, pending: &[Record]) -> Result<(), CacheError> {
        // What others wrote comes first, and what is noted here wins, unless it was overtaken.
        self.refresh()?;
        let pending: Vec<_> = pending
            .iter()
            .filter(|record| !self.is_overtaken(record))
            .copied()
            .collect();
        for record in &pending {
            match record.proof {
                Some(proof) => self.known.insert(record.key, proof),
                None => self.known.remove(&record.key),
            };
        }
        let lines = self.in_file + pending.len();
        if self.read_to == 0 || (lines >= COMPACT_FROM && lines > 2 * self.known.len()) {
            return self.rewrite();
        }
        let mut bytes = Vec::with_capacity(pending.len() * LENGTH);
        for record in &pending {
            bytes.extend(record.encode().into_iter().flatten());
        }
        let path = || self.records.path_of(&self.name);
        let mut file = self.records.open_record(&self.name)?;
        // Behind the last whole record: half of one may stand there since its writer was killed.
        file.seek(SeekFrom::Start(self.read_to))
            .and_then(|_| file.write_all(&bytes))
            .and_then(|()| file.set_len(self.read_to + bytes.len() as u64))
            .map_err(CacheError::record("write", path()))?;
        self.read_to += bytes.len() as u64;
        self.in_file += bytes.len() / LENGTH;
        Ok(())
    }

    /// Whether a record that waited was overtaken: others may have put the same object there since it was noted, and have
    /// written their proof first. Two proofs of one object hold of two files, of which only one is there.
    ///
    /// The disk is asked only where the two differ, and the last one who put a file there always writes after that: so
    /// whatever the order, the proof of the file that is there is what stays.
    fn is_overtaken(&self, record: &Record) -> bool {
        let Some(theirs) = self.known.get(&record.key) else {
            return false;
        };
        if record.proof.is_some_and(|ours| ours.stat == theirs.stat) {
            return false;
        }
        matches!(self.objects.look_at(&record.key.path()), Ok(Found::File(stat)) if stat == theirs.stat)
    }

    /// Writes the index anew, without what was replaced.
    fn rewrite(&mut self) -> Result<(), CacheError> {
        let mut file = self
            .records
            .begin(&self.name, Existing::Replace, Algorithm::Md5)?;
        let number = new_number(self.number);
        let mut bytes = head(number).to_vec();
        let mut count = 0;
        for (&key, &proof) in &self.known {
            let record = Record {
                key,
                proof: Some(proof),
            };
            bytes.extend(record.encode().into_iter().flatten());
            count += 1;
            if bytes.len() >= PIECE * LENGTH {
                file.append(&bytes)?;
                bytes.clear();
            }
        }
        file.append(&bytes)?;
        let size = file.size();
        file.publish(&Expected::default())?;
        self.read_to = size;
        self.number = number;
        self.in_file = count;
        Ok(())
    }
}

#[cfg(target_os = "linux")]
fn this_boot() -> Option<Boot> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(*Algorithm::Xxh128.hash(text.trim().as_bytes()).bytes())
}

#[cfg(not(target_os = "linux"))]
fn this_boot() -> Option<Boot> {
    None
}

/// A number that no earlier writing of the index had.
fn new_number(last: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
    now.max(last.wrapping_add(1))
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
