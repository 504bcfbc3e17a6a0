//! `kill -9` at random moments of a download and of an upload: the next call completes and verifies, sends again at most what
//! was in flight, and leaves nothing behind that nobody counts.
//!
//! The moments are random by progress, not by time: when so many bytes have passed, drawn from a fixed seed.
//! `WB_TEST_KILLS=100` makes the campaigns longer, `WB_TEST_SEED` draws others.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Proxy, Server, User, files_below};

/// How long a command may take, and how long a test waits for progress.
const PATIENCE: Duration = Duration::from_secs(120);

/// Sizes of the files: small ones, which are held in memory, and two that are written while they come.
const DOWNLOADED: (usize, usize, &[usize]) = (150, 4_000, &[1_500_000, 2_500_000]);

/// The same for an upload, whose files are sent from their beginning each.
const UPLOADED: (usize, usize, &[usize]) = (150, 4_000, &[100_000, 200_000]);

/// How many files an upload sends at once.
const AT_ONCE: u64 = 16;

/// Numbers that look random (SplitMix64).
struct Random(u64);

impl Random {
    fn new(stream: u64) -> Self {
        let seed = number("WB_TEST_SEED").unwrap_or(0);
        Self(seed.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ stream)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (bits ^ (bits >> 31)) % end.max(1)
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn kills() -> u64 {
    number("WB_TEST_KILLS").unwrap_or(12)
}

/// Makes a folder of files that are nowhere alike, other ones for each seed; gives paths and sizes.
fn fill(root: &Path, seed: u64, sizes: (usize, usize, &[usize])) -> Vec<(String, u64)> {
    let mut random = Random(seed);
    let (count, small, others) = sizes;
    let sizes = std::iter::repeat_n(small, count).chain(others.iter().copied());
    let mut files = Vec::new();
    for (number, size) in sizes.enumerate() {
        let path = format!("d{}/f{number}", number % 7);
        let mut bytes = Vec::with_capacity(size + 8);
        while bytes.len() < size {
            bytes.extend(random.below(u64::MAX).to_le_bytes());
        }
        bytes.truncate(size);
        let place = root.join(&path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, bytes).unwrap();
        files.push((path, size as u64));
    }
    files.sort();
    files
}

fn is_part(name: &str) -> bool {
    name.ends_with(".wb-part")
}

/// The finished files below a folder are members, with their own bytes. Gives how many there are, and their bytes together.
fn assert_only_members(target: &Path, source: &Path) -> (u64, u64) {
    let (mut count, mut bytes) = (0, 0);
    for name in files_below(target).into_iter().filter(|name| !is_part(name)) {
        let found = fs::read(target.join(&name)).unwrap();
        let wanted = fs::read(source.join(&name)).unwrap_or_else(|_| panic!("{name} is no member"));
        assert!(found == wanted, "{name} has wrong bytes under its final name");
        count += 1;
        bytes += found.len() as u64;
    }
    (count, bytes)
}

/// The beginnings of files, in bytes, with which a download goes on. Those of small files, which come whole or not at all,
/// are none of them.
fn begun(target: &Path, small: usize) -> u64 {
    files_below(target)
        .into_iter()
        .filter(|name| is_part(name))
        .map(|name| fs::metadata(target.join(name)).unwrap().len())
        .filter(|size| *size > small as u64)
        .sum()
}

/// Everything below the cache's folder is counted by `wb artifact cache du`, and what is in it is right.
fn assert_all_is_counted(user: &User, cache: &Path) {
    let place = cache.to_str().unwrap();
    let usage = user.json(&["artifact", "cache", "du", "--cache-dir", place]);
    let counted = |what: &str| {
        ["md5", "xxh128", "etag", "temporary", "other", "records"]
            .iter()
            .map(|sort| usage[sort][what].as_u64().unwrap())
            .sum::<u64>()
    };
    let there: Vec<PathBuf> = files_below(cache)
        .into_iter()
        .map(|name| cache.join(name))
        .collect();
    let bytes: u64 = there.iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert_eq!(
        (counted("files"), counted("bytes")),
        (there.len() as u64, bytes),
        "{usage} {:?}",
        files_below(cache)
            .into_iter()
            .filter(|name| !name.contains("/obj/"))
            .collect::<Vec<_>>()
    );
    user.ok(&["artifact", "cache", "verify", "--cache-dir", place]);
}

/// Lets a command run until there was so much progress, and kills it. `false` when it ended before.
fn kill_at(mut child: Child, progress: impl Fn() -> u64, moment: u64) -> bool {
    let begun = Instant::now();
    while progress() < moment {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "no progress: {} of {moment}",
            progress()
        );
        std::thread::sleep(Duration::from_micros(100));
    }
    // On Unix this is the signal that nobody can catch.
    child.kill().unwrap();
    !child.wait().unwrap().success()
}

fn quietly(user: &User, arguments: &[&str]) -> Child {
    user.command(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// A user who reaches the server by a proxy, and whose cache is in their home.
fn user_of(server: &Server, proxy: &Proxy) -> User {
    let user = User::new()
        .with("WANDB_BASE_URL", &proxy.url)
        .with("WANDB_API_KEY", &server.api_key);
    let cache = user.path("cache").to_str().unwrap().to_owned();
    user.with("WANDB_CACHE_DIR", &cache)
}

fn put<'a>(name: &'a str, source: &'a str) -> Vec<&'a str> {
    vec!["artifact", "put", source, "--name", name, "--type", "dataset"]
}

#[test]
fn a_download_that_is_killed_goes_on_where_it_was() {
    let server = Server::start(&["--entity", "team"]);
    let source = tempfile::tempdir().unwrap();
    let files = fill(source.path(), 1, DOWNLOADED);
    let (count, total) = (
        files.len() as u64,
        files.iter().map(|(_, size)| size).sum::<u64>(),
    );
    User::of(&server).ok(&put("team/p/data", source.path().to_str().unwrap()));

    let proxy = Proxy::to(&server.url);
    let mut random = Random::new(11);
    let (mut killed, mut downloads) = (0, 0);
    let (mut files_again, mut bytes_again, mut most_again) = (0, 0, 0);
    while killed < kills() {
        downloads += 1;
        assert!(
            downloads < 3 * kills() + 10,
            "only {killed} of {downloads} were killed in time"
        );
        let user = user_of(&server, &proxy);
        let download = ["artifact", "download", "team/p/data:v0", "--root", "target"];
        let (target, cache) = (user.path("target"), user.path("cache"));
        let (first_get, first_byte) = (proxy.gets(), proxy.down());
        // One to three kills in a row, then the call that is left alone.
        for _ in 0..=random.below(3) {
            let (finished, _) = assert_only_members(&target, source.path());
            let gets = proxy.gets();
            let moment = proxy.down() + 1 + random.below(total + total / 20);
            let was_killed = kill_at(quietly(&user, &download), || proxy.down(), moment);
            // Nobody asks for what is there, not even a call that does not get to its end; the manifest is one more.
            assert!(proxy.gets() - gets <= count - finished + 1);
            assert_only_members(&target, source.path());
            assert_all_is_counted(&user, &cache);
            if !was_killed {
                break;
            }
            killed += 1;
        }
        let (finished, kept) = assert_only_members(&target, source.path());
        let left = begun(&target, DOWNLOADED.1);
        let gets = proxy.gets();
        let done = user.json(&download);
        let told = |name: &str| done[name].as_u64().unwrap();
        assert_eq!(told("present") + told("cached") + told("fetched"), count);
        assert_eq!(told("present"), finished, "what was finished is not done again");
        assert!(proxy.gets() - gets <= count - finished + 1);
        // Finished files are not sent again, and neither are the beginnings of others.
        assert!(
            told("transferred") + kept + left <= total,
            "{} of {total} sent again; {kept} finished and {left} begun were there",
            told("transferred")
        );
        let again = (proxy.gets() - first_get).saturating_sub(count);
        files_again += again;
        most_again = most_again.max(again);
        bytes_again += (proxy.down() - first_byte).saturating_sub(total);
        assert_eq!(assert_only_members(&target, source.path()), (count, total));
        let names: Vec<String> = files.iter().map(|(path, _)| path.clone()).collect();
        assert_eq!(files_below(&target), names, "nothing else is left in the folder");
        assert_all_is_counted(&user, &cache);
        user.ok(&["artifact", "verify", "team/p/data:v0", "--root", "target"]);
    }
    println!(
        "{killed} kills in {downloads} downloads of {count} files and {total} bytes: {files_again} requests for files beyond \
         one each (at most {most_again} in one download), {bytes_again} bytes beyond the files' own, with heads and what lay in sockets"
    );
}

#[test]
fn an_upload_that_is_killed_goes_on_where_it_was() {
    let server = Server::start(&["--entity", "team"]);
    let proxy = Proxy::to(&server.url);
    let mut random = Random::new(12);
    let (mut killed, mut uploads) = (0, 0);
    let (mut files_again, mut most_again) = (0, 0);
    while killed < kills() {
        uploads += 1;
        assert!(
            uploads < 3 * kills() + 10,
            "only {killed} of {uploads} were killed in time"
        );
        let user = user_of(&server, &proxy);
        let source = user.path("source");
        // Other bytes each time, or the server would have them.
        let files = fill(&source, 1_000 + uploads, UPLOADED);
        let (count, total) = (
            files.len() as u64,
            files.iter().map(|(_, size)| size).sum::<u64>(),
        );
        let name = format!("team/p/data-{uploads}");
        let arguments = put(&name, "source");
        let first = proxy.puts();
        let mut kills_of_this = 0;
        for _ in 0..=random.below(3) {
            let moment = proxy.up() + 1 + random.below(total + total / 20);
            let was_killed = kill_at(quietly(&user, &arguments), || proxy.up(), moment);
            assert_all_is_counted(&user, &user.path("cache"));
            if !was_killed {
                break;
            }
            kills_of_this += 1;
        }
        killed += kills_of_this;
        user.ok(&arguments);
        // Each call sends a manifest at its end, and each kill costs what was in flight: nothing that had arrived.
        let again = (proxy.puts() - first).saturating_sub(count + 1);
        assert!(
            again <= kills_of_this * (AT_ONCE + 1),
            "{again} files were sent again after {kills_of_this} kills"
        );
        files_again += again;
        most_again = most_again.max(again);
        // One version, with the right bytes; and the same once more sends nothing.
        let versions = user.json(&["artifact", "versions", &name]);
        assert_eq!(versions.as_array().map(Vec::len), Some(1), "{versions}");
        assert_eq!(versions[0]["version"], "v0", "{versions}");
        user.ok(&["artifact", "download", &name, "--root", "target", "--skip-cache"]);
        assert_eq!(assert_only_members(&user.path("target"), &source), (count, total));
        let puts = proxy.puts();
        user.ok(&arguments);
        assert_eq!(proxy.puts(), puts, "the same version was sent once more");
        assert_all_is_counted(&user, &user.path("cache"));
    }
    println!(
        "{killed} kills in {uploads} uploads of {} files: {files_again} files sent beyond once each (at most {most_again} in \
         one upload)",
        UPLOADED.0 + UPLOADED.2.len()
    );
}
