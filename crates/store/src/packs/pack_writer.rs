//! Writing a pack.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SendError, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

use super::pack::{MAGIC, PackEntry, StoredChunk, TRAILER_LEN, encode_index, index_len, object_name};
use crate::hash::Hash;
use crate::storage::{Storage, StorageError, Upload};

/// Stored bytes are handed to the storage in pieces of at least this length: bytes.
const WRITE_BUFFER: usize = 1 << 20;
/// Chunks from this length on are not copied on their way: bytes.
const WRITTEN_THROUGH: usize = 256 << 10;
/// So many pieces wait to be written, at most.
const WRITE_QUEUE: usize = 8;

/// Writes one pack. What is longer than a few buffers is written by a thread of its own, while the
/// next chunks are hashed and encoded.
pub(crate) struct PackWriter {
    upload: Sink,
    buffer: Vec<u8>,
    entries: Vec<PackEntry>,
    position: u64,
}

enum Sink {
    Direct(Box<dyn Upload>),
    Thread(WriterThread),
}

/// Writes the buffers that it is sent, in their order, and sends them back.
struct WriterThread {
    full: Option<SyncSender<Vec<u8>>>,
    empty: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<Result<Box<dyn Upload>, StorageError>>>,
}

impl WriterThread {
    /// Gives the upload back where the system has no thread to give.
    fn spawn(upload: Box<dyn Upload>) -> Result<Self, Box<dyn Upload>> {
        let (full, incoming) = sync_channel::<Vec<u8>>(WRITE_QUEUE);
        let (outgoing, empty): (Sender<Vec<u8>>, _) = channel();
        let (hand_over, handed_over) = sync_channel::<Box<dyn Upload>>(1);
        let thread = Builder::new().spawn(move || {
            let mut upload = handed_over.recv().expect("it is handed over as soon as there is a thread");
            for mut buffer in incoming {
                upload.write(&buffer)?;
                buffer.clear();
                // The other side may have ended: then nobody needs the buffer.
                let _ = outgoing.send(buffer);
            }
            Ok(upload)
        });
        let Ok(thread) = thread else { return Err(upload) };
        hand_over.send(upload).map_err(|SendError(upload)| upload)?;
        Ok(Self { full: Some(full), empty, thread: Some(thread) })
    }

    /// False when the thread has stopped at an error.
    fn send(&self, buffer: Vec<u8>) -> bool {
        self.full.as_ref().is_some_and(|full| full.send(buffer).is_ok())
    }

    /// Waits until all is written; gives the upload back, or the error at which the thread stopped.
    fn finish(mut self) -> Result<Box<dyn Upload>, StorageError> {
        self.full = None;
        let joined = self.thread.take().map(JoinHandle::join);
        joined.expect("it is joined once").unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Drop for WriterThread {
    /// A pack that is given up is gone when this returns.
    fn drop(&mut self) {
        self.full = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl PackWriter {
    pub fn new(storage: &Arc<dyn Storage>) -> Result<Self, StorageError> {
        Ok(Self {
            upload: Sink::Direct(Arc::clone(storage).upload()?),
            buffer: MAGIC.to_vec(),
            entries: Vec::new(),
            position: MAGIC.len() as u64,
        })
    }

    /// Appends a chunk. It is copied, and written by another thread.
    pub fn push<B: AsRef<[u8]>>(mut self, chunk: &StoredChunk<B>) -> Result<Self, StorageError> {
        let stored = self.enter(chunk);
        self.buffer.extend_from_slice(stored);
        if self.buffer.len() >= WRITE_BUFFER { self.write_buffer() } else { Ok(self) }
    }

    /// Appends a chunk. A long one is written at once by this thread, while it is in the processor's cache.
    pub fn push_through<B: AsRef<[u8]>>(mut self, chunk: &StoredChunk<B>) -> Result<Self, StorageError> {
        let stored = self.enter(chunk);
        if stored.len() < WRITTEN_THROUGH {
            self.buffer.extend_from_slice(stored);
            return if self.buffer.len() >= WRITE_BUFFER { self.write_buffer() } else { Ok(self) };
        }
        let mut upload = match self.upload {
            Sink::Direct(upload) => upload,
            Sink::Thread(writer) => writer.finish()?,
        };
        upload.write(&self.buffer)?;
        self.buffer.clear();
        upload.write(stored)?;
        Ok(Self { upload: Sink::Direct(upload), ..self })
    }

    /// Enters a chunk into the index; gives its stored bytes.
    fn enter<'b, B: AsRef<[u8]>>(&mut self, chunk: &'b StoredChunk<B>) -> &'b [u8] {
        let stored = chunk.stored.as_ref();
        self.entries.push(PackEntry {
            id: chunk.id,
            offset: self.position,
            stored_len: stored.len() as u32,
            raw_len: chunk.raw_len as u32,
            codec: chunk.codec,
            encrypted: chunk.encrypted,
            stored_hash: chunk.stored_hash,
            base: chunk.base,
        });
        self.position += stored.len() as u64;
        stored
    }

    fn write_buffer(mut self) -> Result<Self, StorageError> {
        let writer = match self.upload {
            Sink::Direct(upload) => WriterThread::spawn(upload),
            Sink::Thread(writer) => Ok(writer),
        };
        let writer = match writer {
            Ok(writer) => writer,
            Err(mut upload) => {
                upload.write(&self.buffer)?;
                self.buffer.clear();
                return Ok(Self { upload: Sink::Direct(upload), ..self });
            }
        };
        let next = writer.empty.try_recv().unwrap_or_default();
        let full = std::mem::replace(&mut self.buffer, next);
        self.upload = if writer.send(full) { Sink::Thread(writer) } else { Sink::Direct(writer.finish()?) };
        Ok(self)
    }

    /// Bytes so far.
    pub fn len(&self) -> u64 {
        self.position
    }

    /// Bytes that the pack will have when it is finished.
    pub fn final_len(&self) -> u64 {
        self.position + (index_len(&self.entries) + TRAILER_LEN) as u64
    }

    /// Makes the pack durable; gives its id, its entries and its length.
    pub fn finish(mut self) -> Result<(Hash, Vec<PackEntry>, u64), StorageError> {
        let len = self.final_len();
        let index = encode_index(&self.entries);
        let id = Hash::of(&index);
        self.buffer.extend_from_slice(&index);
        self.buffer.extend_from_slice(&(index.len() as u64).to_le_bytes());
        self.buffer.extend_from_slice(&id.0);
        let mut upload = match self.upload {
            Sink::Direct(upload) => upload,
            Sink::Thread(writer) => writer.finish()?,
        };
        upload.write(&self.buffer)?;
        upload.finish(&object_name(&id))?;
        Ok((id, self.entries, len))
    }
}

impl std::fmt::Debug for PackWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PackWriter").field("len", &self.len()).finish()
    }
}
