package files

import "skerry/abi/linux"

// span is the memory that a read or write moves bytes to or from: one range, or
// those of an array of struct iovec, as one sequence.
type span struct {
	address, left uint64 // what is left of the current range
	vector        uint64 // where the next iovec is
	count         uint64 // iovecs left
	length        uint64 // what is left in all
}

// lengthMax bounds one read or write, as on Linux.
const lengthMax = 0x7fff_f000

// single returns the span of one range.
func single(address, length uint64) span {
	length = min(length, lengthMax)
	return span{address: address, left: length, length: length}
}

// gather returns the span of count iovecs at vector, or a negated error number.
func gather(vector, count uint64) (span, int64) {
	if count > linux.IOV_MAX {
		return span{}, -linux.EINVAL
	}
	s := span{vector: vector, count: count}
	for i := range count {
		v := iovec(vector, i)
		if int64(v.Len) < 0 {
			return span{}, -linux.EINVAL
		}
		s.length = min(s.length+v.Len, lengthMax)
	}
	return s, 0
}

// iovec returns element i of the array at vector.
func iovec(vector, i uint64) linux.Iovec {
	return *(*linux.Iovec)(pointer(uintptr(vector + i*16)))
}

// next takes at most n bytes off the front. It returns none when the span is
// used up, and else at least one.
func (s *span) next(n uint64) []byte {
	n = min(n, s.length)
	if n == 0 {
		return nil
	}
	for s.left == 0 {
		if s.count == 0 {
			s.length = 0
			return nil
		}
		v := iovec(s.vector, 0)
		s.address, s.left = v.Base, v.Len
		s.vector += 16
		s.count--
	}
	n = min(n, s.left)
	b := bytesAt(s.address, n)
	s.address += n
	s.left -= n
	s.length -= n
	return b
}

// skip drops n bytes off the front.
func (s *span) skip(n uint64) {
	for n > 0 {
		b := s.next(n)
		if b == nil {
			return
		}
		n -= uint64(len(b))
	}
}

// put copies b to the front of the span and returns how much of it fitted.
func (s *span) put(b []byte) uint64 {
	done := 0
	for done < len(b) {
		to := s.next(uint64(len(b) - done))
		if to == nil {
			break
		}
		done += copy(to, b[done:])
	}
	return uint64(done)
}

// get fills b from the front of the span and returns how much there was.
func (s *span) get(b []byte) uint64 {
	done := 0
	for done < len(b) {
		from := s.next(uint64(len(b) - done))
		if from == nil {
			break
		}
		done += copy(b[done:], from)
	}
	return uint64(done)
}
