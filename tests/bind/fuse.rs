//! A file system in user space that lacks what a test tells it to lack. The file system handles
//! only the messages of fuse(4) that the tests need, and runs in a process of its own.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The ways in which the file system differs from others.
#[derive(Clone, Copy)]
pub(crate) struct Quirks {
    /// Every file and directory has these permissions, and chmod(2) changes nothing.
    pub(crate) permissions: Option<u32>,
    /// chmod(2) fails with this errno.
    pub(crate) chmod: Option<i32>,
    /// No file has the sticky bit.
    pub(crate) drops_sticky: bool,
    /// Every file belongs to this user.
    pub(crate) owner: Option<u32>,
    /// Every file reports this count of names.
    pub(crate) links: Option<u32>,
    /// renameat2(2) fails with `EINVAL` if it has flags.
    pub(crate) no_rename_flags: bool,
    /// link(2) makes a copy of the file.
    pub(crate) link_copies: bool,
    /// link(2) fails with this errno.
    pub(crate) link: Option<i32>,
    /// The permissions of the directory at its root.
    pub(crate) root_mode: u32,
    /// Making a socket file fails with this errno.
    pub(crate) mknod: Option<i32>,
}

impl Quirks {
    /// The description of a file system that lacks nothing.
    pub(crate) const NONE: Self = Self {
        permissions: None,
        chmod: None,
        drops_sticky: false,
        owner: None,
        links: None,
        no_rename_flags: false,
        link_copies: false,
        link: None,
        root_mode: 0o755,
        mknod: None,
    };
}

const ROOT: u64 = 1;

#[derive(Clone, Copy)]
struct Node {
    mode: u32,
    uid: u32,
    gid: u32,
    links: u32,
}

struct FileSystem {
    quirks: Quirks,
    nodes: BTreeMap<u64, Node>,
    names: BTreeMap<(u64, Vec<u8>), u64>,
    next: u64,
}

/// The answer to a message: its body, or an errno.
type Reply = Result<Vec<u8>, i32>;

/// Mounts the file system at a directory, in the mount namespace of this process, and serves it
/// until this process ends. Returns `false` if that is not possible.
pub(crate) fn mount(at: &Path, quirks: Quirks) -> bool {
    let Ok(device) = File::options().read(true).write(true).open("/dev/fuse") else {
        return false;
    };
    let data = format!(
        "fd={},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions",
        device.as_raw_fd()
    );
    let (data, at) = (
        CString::new(data).unwrap(),
        CString::new(at.as_os_str().as_bytes()).unwrap(),
    );
    let (kind, at, data) = (c"fuse".as_ptr(), at.as_ptr(), data.as_ptr().cast());
    // SAFETY: the strings end with a NUL.
    if unsafe { libc::mount(kind, at, kind, 0, data) } != 0 {
        return false;
    }
    // SAFETY: the child serves and ends by _exit.
    match unsafe { libc::fork() } {
        -1 => panic!("fork: {}", std::io::Error::last_os_error()),
        0 => {
            // SAFETY: the arguments are integers, so the call accesses no memory.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
            FileSystem::new(quirks).serve(device);
            // SAFETY: _exit ends this process and does nothing else.
            unsafe { libc::_exit(0) }
        }
        _ => true,
    }
}

impl FileSystem {
    fn new(quirks: Quirks) -> Self {
        let (mode, links) = (libc::S_IFDIR | quirks.root_mode, 2);
        let (uid, gid) = (0, 0);
        let root = Node {
            mode,
            uid,
            gid,
            links,
        };
        Self {
            quirks,
            nodes: BTreeMap::from([(ROOT, root)]),
            names: BTreeMap::new(),
            next: ROOT + 1,
        }
    }

    fn serve(mut self, mut device: File) {
        let mut message = vec![0; 1 << 17];
        while let Ok(len) = device.read(&mut message) {
            let message = &message[..len];
            let (opcode, node) = (u32_at(message, 4), u64_at(message, 16));
            let (uid, gid) = (u32_at(message, 24), u32_at(message, 28));
            let reply = match opcode {
                // FORGET, INTERRUPT, BATCH_FORGET
                2 | 36 | 42 => continue,
                _ => self.reply(opcode, node, (uid, gid), &message[40..]),
            };
            let (error, body) = match reply {
                Ok(body) => (0, body),
                Err(errno) => (-errno, Vec::new()),
            };
            let mut answer = (16 + body.len() as u32).to_ne_bytes().to_vec();
            answer.extend(error.to_ne_bytes());
            answer.extend(&message[8..16]);
            answer.extend(body);
            let _ = device.write(&answer);
        }
    }

    fn reply(&mut self, opcode: u32, node: u64, user: (u32, u32), body: &[u8]) -> Reply {
        match opcode {
            1 => self.entry(self.find(node, body)?),
            3 => self.attributes(node),
            4 => self.set_attributes(node, body),
            8 => {
                let is_socket = u32_at(body, 0) & libc::S_IFMT == libc::S_IFSOCK;
                match self.quirks.mknod.filter(|_| is_socket) {
                    Some(errno) => Err(errno),
                    None => {
                        let made = self.make(node, &body[16..], u32_at(body, 0), user)?;
                        self.entry(made)
                    }
                }
            }
            9 => {
                let made = self.make(node, &body[8..], libc::S_IFDIR | u32_at(body, 0), user)?;
                self.entry(made)
            }
            // UNLINK, RMDIR
            10 | 11 => self.remove(node, body),
            // RENAME
            12 => self.rename(node, u64_at(body, 0), 0, &body[8..]),
            45 if self.quirks.no_rename_flags => Err(libc::EINVAL),
            45 => self.rename(node, u64_at(body, 0), u32_at(body, 8), &body[16..]),
            13 => self.link(node, u64_at(body, 0), &body[8..], user),
            // OPEN, OPENDIR
            14 | 27 => Ok(vec![0; 16]),
            17 => Ok(vec![0; 80]),
            // RELEASE, FLUSH, RELEASEDIR
            18 | 25 | 29 => Ok(Vec::new()),
            26 => {
                let mut init = [7_u32, 31, 0, 0, 0, 4096, 1].map(u32::to_ne_bytes).concat();
                init.resize(64, 0);
                Ok(init)
            }
            28 => Ok(self.entries(node, u64_at(body, 8))),
            // CREATE
            35 => {
                let made = self.make(node, &body[16..], libc::S_IFREG | u32_at(body, 4), user)?;
                let mut reply = self.entry(made)?;
                reply.extend([0; 16]);
                Ok(reply)
            }
            _ => Err(libc::ENOSYS),
        }
    }

    fn find(&self, dir: u64, name: &[u8]) -> Result<u64, i32> {
        let found = self.names.get(&(dir, text(name)));
        found.copied().ok_or(libc::ENOENT)
    }

    fn make(&mut self, dir: u64, name: &[u8], mode: u32, user: (u32, u32)) -> Result<u64, i32> {
        if self.find(dir, name).is_ok() {
            return Err(libc::EEXIST);
        }
        let made = self.next;
        self.next += 1;
        let (uid, gid) = user;
        let links = 1;
        self.nodes.insert(
            made,
            Node {
                mode,
                uid,
                gid,
                links,
            },
        );
        self.names.insert((dir, text(name)), made);
        Ok(made)
    }

    fn remove(&mut self, dir: u64, name: &[u8]) -> Reply {
        let node = self.find(dir, name)?;
        if self.names.keys().any(|(parent, _)| *parent == node) {
            return Err(libc::ENOTEMPTY);
        }
        self.names.remove(&(dir, text(name)));
        self.nodes.get_mut(&node).unwrap().links -= 1;
        Ok(Vec::new())
    }

    fn rename(&mut self, from: u64, to: u64, flags: u32, names: &[u8]) -> Reply {
        let (old, new) = (text(names), text(&names[text(names).len() + 1..]));
        let moved = self.find(from, &old)?;
        let replaced = self.find(to, &new);
        match (flags, replaced) {
            (libc::RENAME_NOREPLACE, Ok(_)) => return Err(libc::EEXIST),
            (libc::RENAME_EXCHANGE, Ok(other)) => {
                self.names.insert((from, old), other);
            }
            (libc::RENAME_EXCHANGE, Err(errno)) => return Err(errno),
            (_, replaced) => {
                if let Ok(replaced) = replaced {
                    self.nodes.get_mut(&replaced).unwrap().links -= 1;
                }
                self.names.remove(&(from, old));
            }
        }
        self.names.insert((to, new), moved);
        Ok(Vec::new())
    }

    fn link(&mut self, dir: u64, old: u64, name: &[u8], user: (u32, u32)) -> Reply {
        if let Some(errno) = self.quirks.link {
            return Err(errno);
        }
        if self.find(dir, name).is_ok() {
            return Err(libc::EEXIST);
        }
        let mode = self.nodes[&old].mode;
        if self.quirks.link_copies {
            let copy = self.make(dir, name, mode, user)?;
            return self.entry(copy);
        }
        self.nodes.get_mut(&old).unwrap().links += 1;
        self.names.insert((dir, text(name)), old);
        self.entry(old)
    }

    fn set_attributes(&mut self, node: u64, body: &[u8]) -> Reply {
        let valid = u32_at(body, 0);
        if let Some(errno) = self.quirks.chmod.filter(|_| valid & 1 != 0) {
            return Err(errno);
        }
        let changed = self.nodes.get_mut(&node).unwrap();
        if valid & 1 != 0 {
            changed.mode = changed.mode & libc::S_IFMT | u32_at(body, 68) & 0o7777;
        }
        if valid & 2 != 0 {
            changed.uid = u32_at(body, 76);
        }
        if valid & 4 != 0 {
            changed.gid = u32_at(body, 80);
        }
        self.attributes(node)
    }

    /// Returns the bytes of a `struct fuse_attr`.
    fn attr(&self, node: u64) -> Result<Vec<u8>, i32> {
        let found = self.nodes.get(&node).ok_or(libc::ENOENT)?;
        let is_dir = found.mode & libc::S_IFMT == libc::S_IFDIR;
        let mut mode = match self.quirks.permissions {
            Some(permissions) => found.mode & libc::S_IFMT | permissions,
            None => found.mode,
        };
        if self.quirks.drops_sticky {
            mode &= !0o1000;
        }
        let links = self.quirks.links.filter(|_| !is_dir).unwrap_or(found.links);
        let uid = self
            .quirks
            .owner
            .filter(|_| node != ROOT)
            .unwrap_or(found.uid);
        let mut attr = node.to_ne_bytes().to_vec();
        attr.extend([0; 5 * 8 + 3 * 4]);
        for number in [mode, links, uid, found.gid, 0, 4096, 0] {
            attr.extend(number.to_ne_bytes());
        }
        Ok(attr)
    }

    /// Returns the bytes of a `struct fuse_attr_out`, which tells the kernel to cache nothing.
    fn attributes(&self, node: u64) -> Reply {
        Ok([vec![0; 16], self.attr(node)?].concat())
    }

    /// Returns the bytes of a `struct fuse_entry_out`, which tells the kernel to cache nothing.
    fn entry(&self, node: u64) -> Reply {
        let mut entry = node.to_ne_bytes().to_vec();
        entry.extend([0; 32]);
        entry.extend(self.attr(node)?);
        Ok(entry)
    }

    fn entries(&self, dir: u64, offset: u64) -> Vec<u8> {
        let mut entries = Vec::new();
        if offset == 0 {
            let of_dir = self.names.iter().filter(|((parent, _), _)| *parent == dir);
            for ((_, name), node) in of_dir {
                entries.extend(node.to_ne_bytes());
                entries.extend(1_u64.to_ne_bytes());
                entries.extend((name.len() as u32).to_ne_bytes());
                entries.extend((self.nodes[node].mode >> 12).to_ne_bytes());
                entries.extend(name);
                entries.resize(entries.len().next_multiple_of(8), 0);
            }
        }
        entries
    }
}

/// Returns the bytes before the first NUL.
fn text(bytes: &[u8]) -> Vec<u8> {
    bytes.split(|byte| *byte == 0).next().unwrap().to_vec()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap())
}
