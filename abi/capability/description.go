package capability

// Description says what a capability is; Identify writes it.
type Description struct {
	Type   Type
	Rights Rights
	// Ready is 0 while the object's memory is being cleared.
	Ready uint8
	// Relations says what other cores hold of it.
	Relations Relations
	// Owner is the core that decides about the object.
	Owner      uint32
	Base, Size uint64
}

// Relations says what cores other than this one hold in connection with an
// object. They are set by monitors.
type Relations uint8

// The relations.
const (
	RemoteCopies Relations = 1 << iota
	RemoteAncestors
	RemoteDescendants
	AllRelations = RemoteCopies | RemoteAncestors | RemoteDescendants
)
