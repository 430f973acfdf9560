package thread

import (
	"slices"
	"sync/atomic"
	"syscall"
)

// DestructorRounds is how often the values of a thread that ends are looked through
// for such as destructors have left.
const DestructorRounds = 4

// Key names a value that each thread has for itself: nil at first.
type Key struct {
	destructor func(value any)
	number     uint64
	deleted    atomic.Bool
}

// keys counts the keys that were made.
var keys atomic.Uint64

// NewKey returns a new key. When a thread ends, destructor, if it is not nil, is
// called by it with the value it has for the key, if that is not nil; the value is
// nil by then. Destructors of several keys are called in the order in which the keys
// were made, and all again while there are values that are not nil, but no
// more than DestructorRounds times.
func NewKey(destructor func(value any)) *Key {
	return &Key{destructor: destructor, number: keys.Add(1)}
}

// Set gives the calling thread a value for the key. It fails with ESRCH if the
// caller is no Thread, with EINVAL if the key has been deleted.
func (k *Key) Set(value any) error {
	t := Self()
	switch {
	case t == nil:
		return syscall.ESRCH
	case k.deleted.Load():
		return syscall.EINVAL
	case value == nil:
		delete(t.values, k)
		return nil
	}
	if t.values == nil {
		t.values = make(map[*Key]any)
	}
	t.values[k] = value
	return nil
}

// Get returns the calling thread's value for the key, nil if it has none, is no
// Thread, or the key has been deleted.
func (k *Key) Get() any {
	t := Self()
	if t == nil || k.deleted.Load() {
		return nil
	}
	return t.values[k]
}

// Delete makes the key useless: threads have no values for it any more, and its
// destructor is not called any more. It fails with EINVAL if that was so before.
func (k *Key) Delete() error {
	if k.deleted.Swap(true) {
		return syscall.EINVAL
	}
	return nil
}

// destroy calls the destructors for the thread's values.
func (t *Thread) destroy() {
	for range DestructorRounds {
		if len(t.values) == 0 {
			return
		}
		var list []*Key
		for k := range t.values {
			list = append(list, k)
		}
		slices.SortFunc(list, func(a, b *Key) int { return int(a.number) - int(b.number) })
		for _, k := range list {
			value := t.values[k]
			delete(t.values, k)
			if value != nil && k.destructor != nil && !k.deleted.Load() {
				k.destructor(value)
			}
		}
	}
	clear(t.values)
}
