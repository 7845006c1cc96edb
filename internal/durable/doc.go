// Package durable creates, replaces and renames small files so that neither a kill nor a power cut can tear them, and
// locks them against other writers.
//
// # Guarantees
//
// At any instant the path holds the whole old content or the whole new one. [Replace], [Create] and [Backup] write a
// temporary file in the directory of the file itself (mode 0600 from its creation), sync it, put it in place with one
// rename, and sync the directory. When they return nil, the new content survives a power cut. When they return an
// error, the old file stands byte for byte, with its owner, group, mode and extended attributes; the one exception is
// [ErrUnconfirmed], where a power cut may decide. [InPlace] tells which content stands until then.
//
// A symbolic link is followed, and what it points to is replaced; the link stays. A replaced file keeps owner, group,
// mode and every extended attribute that the process can see, POSIX access control lists included. What cannot be kept
// is refused before anything is changed.
//
// A temporary file that a killed process left behind is removed by the next call for the same path. Its maker holds a
// flock on it for as long as it lives, which is how a stale one is told from one in use.
//
// # No guarantees
//
// Other hard links to a replaced file keep the old content. Time stamps, inode flags (chattr) and attributes that only
// a more privileged process sees are not carried over. The blocks of the old content are not overwritten. Where a file
// system cannot sync a directory (it answers EINVAL or ENOTSUP), the rename is as durable as that file system makes it.
// On Windows there is no owner, group or directory sync; the rest holds as far as NTFS does.
//
// # The lock
//
// [Lock] takes a flock on a file named PATH.lock, beside the file itself, which is never deleted. The vault itself
// cannot carry the lock, because every write puts another inode in its place. A lock file deleted after use has the same
// fault: a waiter may obtain the lock of a file that is gone while another process locks its successor. The directory
// could carry it, but a flock needs no more than permission to read, so that whoever may list the directory could block
// every writer; the lock file has mode 0600 and belongs to the owner of the file it guards. The lock is advisory, and the
// kernel drops it when the process that holds it ends.
package durable
