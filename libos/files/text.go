package files

// The files of /proc/self whose contents the libos provides.
const (
	TextAuxv    = iota // the auxiliary vector, as on the initial stack
	TextCmdline        // the arguments, each with its NUL
	TextEnviron        // the environment, each with its NUL
	textMaps
	numTexts
)

// text is where the contents of such a file lie.
type text struct{ address, length uint64 }

// SetText says where the contents of a Text file lie. The memory must be the
// libos's own, and stay as it is.
func (f *Files) SetText(which int, address, length uint64) {
	f.texts[which] = text{address, length}
}

// MapsBuffer is where the libos writes the text of /proc/self/maps when a call
// waits for KeyMaps.
func (f *Files) MapsBuffer() []byte { return f.maps[:] }

// SetMaps says that the first n bytes of MapsBuffer are the text.
func (f *Files) SetMaps(n int) {
	f.mapsLength = uint32(min(max(n, 0), mapsSize))
	f.mapsSnapshot = true
}

func (f *Files) readText(o *file, s *span, position *int64) Result {
	if o.index != textMaps {
		t := &f.texts[o.index%numTexts]
		return done(readMemory(s, t.address, t.length, position))
	}
	// One text for all who read: it is made anew when one begins.
	if *position == 0 && !f.mapsSnapshot {
		return Result{Wait: KeyMaps, Timeout: -1}
	}
	f.mapsSnapshot = false
	if *position < 0 || *position >= int64(f.mapsLength) {
		return done(0)
	}
	n := s.put(f.maps[*position:f.mapsLength])
	*position += int64(n)
	return done(int64(n))
}
