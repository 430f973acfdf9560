package driver

import (
	"math/bits"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/kernel/amd64"
	"skerry/kernel/console"
	"skerry/kernel/kcb"
	"skerry/kernel/mailbox"
	"skerry/kernel/memory"
)

// What only a kernel can do to the processor and to others. Tests stand in for it.
var (
	setCR3  = amd64.SetCR3
	invlpg  = amd64.Invlpg
	sendIPI = amd64.SendIPI
)

// monitorNumber is the number of a core's monitor: it is the first dispatcher
// there, and stays.
const monitorNumber = 0

// interruptCore makes another core look into its mailboxes.
func (d *Driver) interruptCore(core uint32) {
	m := &d.k.Machine
	sendIPI(m.APICs[core%uint32(len(m.APICs))], amd64.VectorDoorbell)
}

// ringAt rings the doorbell of a dispatcher of another core, by its number. It
// reports whether there is such a core.
func (d *Driver) ringAt(core uint32, number uint64) bool {
	m := &d.k.Machine
	if core >= m.Cores || core == m.Core || console.StateOf(core) != abi.CoreRunning {
		return false
	}
	d.k.Counters.DoorbellsOut++
	if d.boxes.Box(m.Core, core).Ring(number) {
		d.interruptCore(core)
	}
	return true
}

func remoteDoorbellRing(d *Driver, _ *kcb.DCB, slot memory.Phys, _ *capability.Arguments) (uint64, capability.Error) {
	if d.cap.SizeOf(slot) != 1 {
		return 0, capability.ErrRange
	}
	n := d.cap.BaseOf(slot)
	d.ringAt(uint32(n/abi.CoreDispatchers), n%abi.CoreDispatchers)
	return 0, capability.OK
}

// collect takes what other kernels have put into this one's mailboxes, does what
// they ask for, and notifies whose doorbells they rang.
func (d *Driver) collect() {
	k := d.k
	m, more := &k.Machine, false
	for core := range m.Cores {
		if core == m.Core {
			continue
		}
		in := d.boxes.Box(core, m.Core)
		for w := range mailbox.Words {
			if set := in.Take(w); set != 0 {
				k.Rung.Add(w, set)
				k.Counters.DoorbellsIn += uint64(bits.OnesCount64(set))
			}
		}
		d.acknowledge(core, in)
		if k.Shootdown.Asked(core) && k.Shootdown.Answer(core, in.Acknowledged()) {
			more = true
		}
	}
	if more {
		d.settledMore()
	}
	d.deliver()
}

// notifyMost is how many dispatchers are notified in one go.
const notifyMost = 16

// deliver notifies those whose doorbells were rung from other cores, and who
// waited for them; what is too much at once is left for work.
func (d *Driver) deliver() {
	for range notifyMost {
		n, ok := d.k.Rung.Take()
		if !ok {
			break
		}
		if b := d.k.Numbered(n); b != nil {
			d.summon(b)
		}
	}
	d.ringing = d.k.Rung.Any()
}
