package driver

import (
	"skerry/abi/capability"
	"skerry/kernel/carry"
	"skerry/kernel/kcb"
	"skerry/kernel/memory"
	"skerry/kernel/schedule"
)

// scheduled returns the dispatcher that a reference names, which must be set up,
// for a change of how it is scheduled at time now.
func (d *Driver) scheduled(r uint64, now int64) (*schedule.Entry, capability.Error) {
	slot, err := d.cap.LookupType(d.cspace, capability.Reference(r), capability.Dispatcher, capability.RightControl)
	if err != capability.OK {
		return nil, err
	}
	t := d.target(slot)
	if _, ok := t.Number(); !ok {
		return nil, capability.ErrState
	}
	d.catchUp(now)
	d.changed = true
	return &t.Entry, capability.OK
}

func kernelWeight(d *Driver, _ *kcb.DCB, _ memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	if a[1] > schedule.MaxWeight {
		return 0, capability.ErrArgument
	}
	e, err := d.scheduled(a[0], carry.Now())
	if err == capability.OK && !d.k.Scheduler.SetWeight(e, int(a[1])) {
		err = capability.ErrArgument
	}
	return 0, err
}

func kernelReserve(d *Driver, _ *kcb.DCB, _ memory.Phys, a *capability.Arguments) (uint64, capability.Error) {
	now := carry.Now()
	e, err := d.scheduled(a[0], now)
	if err != capability.OK {
		return 0, err
	}
	r := schedule.Reservation{Period: int64(a[1]), Budget: int64(a[2]), Deadline: int64(a[3])}
	s := &d.k.Scheduler
	if r == (schedule.Reservation{}) {
		s.Retire(e, now)
		return uint64(s.Left(e, now)), capability.OK
	}
	answer := s.Admit(e, r, now)
	switch answer.Reason {
	case schedule.Admitted:
	case schedule.Overload:
		err = capability.ErrOverload
	default:
		err = capability.ErrArgument
	}
	return uint64(answer.Left), err
}
