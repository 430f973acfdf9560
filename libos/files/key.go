package files

// Key names a queue that a thread waits in. Keys are small: an array may be
// indexed by them.
type Key uint16

// The keys that are not those of a pipe, an eventfd or an epoll.
const (
	// NoKey is no key.
	NoKey Key = iota
	// KeyMaps is no queue: the call needs the text of /proc/self/maps. The
	// libos writes it into MapsBuffer, says SetMaps, and executes the call
	// again at once.
	KeyMaps
	// KeyRandom is no queue: the call completes when the libos has filled
	// Result.Length bytes at Result.Address with random bytes; its value
	// is Result.Value.
	KeyRandom
	// KeyLog is no queue: there is no stdio channel, and the libos gives
	// Result.Length bytes at Result.Address to the kernel's log; the call's
	// value is Result.Value.
	KeyLog
	keyStdin
	keyOutput
	keyDoorbell
	keyPoll // poll and select: any change of anything
	keyPipes
	keyEvents = keyPipes + 2*maxPipes
	keyEpolls = keyEvents + 2*maxEvents
	// NumKeys bounds the keys.
	NumKeys = keyEpolls + maxEpolls
)

func pipeReadKey(i uint32) Key   { return keyPipes + Key(2*i) }
func pipeWriteKey(i uint32) Key  { return keyPipes + Key(2*i+1) }
func eventReadKey(i uint32) Key  { return keyEvents + Key(2*i) }
func eventWriteKey(i uint32) Key { return keyEvents + Key(2*i+1) }
func epollKey(i uint32) Key      { return keyEpolls + Key(i) }

// NextWake takes the next key whose waiters are to be woken, all of them, or
// NoKey.
func (f *Files) NextWake() Key {
	if f.wakeCount == 0 {
		return NoKey
	}
	f.wakeCount--
	k := Key(f.wakes[f.wakeCount])
	f.waiting[k], f.queued[k] = false, false
	return k
}

// wakeKey wakes those who wait on k.
func (f *Files) wakeKey(k Key) {
	if f.waiting[k] && !f.queued[k] {
		f.queued[k] = true
		f.wakes[f.wakeCount] = uint16(k)
		f.wakeCount++
	}
}

// wait is the result of a call that would block until k is woken.
func (f *Files) wait(k Key) Result {
	f.waiting[k] = true
	return Result{Wait: k, Timeout: -1}
}

// source is something that files can be polled for: it knows the files that
// are open on it.
type source struct {
	first uint16 // number+1 of the first file
}

// wake tells all who wait for events on a source: k's waiters, the epolls in
// which a file on it is registered, and those in poll. Zero events means all.
func (f *Files) wake(s *source, events uint32, k Key) {
	f.wakeKey(k)
	f.wakeKey(keyPoll)
	for n := s.first; n != 0; n = f.files[n-1].next {
		o := &f.files[n-1]
		if events != 0 && (events&canRead == 0 || !o.readable()) && (events&canWrite == 0 || !o.writable()) {
			continue // the other end
		}
		for i := o.items; i != 0; i = f.items[i].nextOfFile {
			f.itemWoken(i, events)
		}
	}
}
