package agent

const (
	// firstDomain is the number of the first program's domain: the monitor's is
	// before it.
	firstDomain = 2
	// firstMount and maxMounts say in which slots of its L1 CNode the monitor
	// has the L2 CNodes of its programs.
	firstMount = 256
	maxMounts  = 768
)

// numbers gives out numbers from first to before end, each as late again as
// possible.
type numbers struct {
	first, end uint32
	next       uint32 // less first
	used       map[uint32]bool
}

// take takes a number; ok is false when all are in use.
func (n *numbers) take() (number uint32, ok bool) {
	span := n.end - n.first
	if uint32(len(n.used)) == span {
		return 0, false
	}
	if n.used == nil {
		n.used = make(map[uint32]bool)
	}
	for {
		number = n.first + n.next
		n.next = (n.next + 1) % span
		if !n.used[number] {
			n.used[number] = true
			return number, true
		}
	}
}

// give gives a number back.
func (n *numbers) give(number uint32) { delete(n.used, number) }
