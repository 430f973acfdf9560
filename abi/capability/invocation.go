package capability

// Invocation numbers something that can be asked of a capability of a type.
type Invocation uint32

// MaxArguments is how many words go with an invocation.
const MaxArguments = 5

// MaxRetype is how many objects one Retype makes at most.
const MaxRetype = 6

// Arguments are the words that go with an invocation. Those it does not use
// are 0.
type Arguments [MaxArguments]uint64

// signature is what is checked of an invocation before it is done.
type signature struct {
	name  string
	right Rights
	most  Arguments // the greatest word that each argument can be
}

// Word packs a reference and an invocation into the first word of a call.
func Word(r Reference, i Invocation) uint64 { return uint64(i)<<32 | uint64(r) }

// Unpack takes a word of a call apart. Its error is ErrReference for a
// reference that can name no slot.
func Unpack(w uint64) (Reference, Invocation, Error) {
	r := Reference(w)
	if !r.Valid() {
		return 0, 0, ErrReference
	}
	return r, Invocation(w >> 32), OK
}

// Check checks an invocation of a capability against the table: that its type
// has it, that its rights allow it, and that each argument is one that its kind
// can have. Whatever passes still has to be checked against the object.
func Check(t Type, have Rights, i Invocation, a *Arguments) Error {
	s := signatureOf(t, i)
	if s == nil {
		return ErrInvocation
	}
	if s.right&^have != 0 {
		return ErrRights
	}
	// Every invocation comes here: no loop.
	m := &s.most
	if a[0] > m[0] || a[1] > m[1] || a[2] > m[2] || a[3] > m[3] || a[4] > m[4] {
		return ErrArgument
	}
	return OK
}

// InvocationName returns the name of an invocation of a type, "" if it has none
// of that number.
func InvocationName(t Type, i Invocation) string {
	if s := signatureOf(t, i); s != nil {
		return s.name
	}
	return ""
}

func signatureOf(t Type, i Invocation) *signature {
	if t == Null || t >= NumTypes {
		return nil
	}
	if i < NumCommon {
		return &signatures[i]
	}
	first, end := invocationsOf[t], invocationsOf[t+1]
	if uint64(i)-NumCommon < uint64(end-first) {
		return &signatures[uint64(first)+uint64(i)-NumCommon]
	}
	return nil
}
