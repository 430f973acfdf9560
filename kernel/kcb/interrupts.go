package kcb

import "skerry/kernel/memory"

// Interrupts says how the interrupts of devices reach users of this core.
type Interrupts struct {
	// Controllers are the I/O interrupt controllers; core 0 has them all.
	Controllers    [MaxControllers]Controller
	NumControllers uint32
	// Sources holds the interrupt sources (global system interrupts), Vectors
	// the vectors of this core, by number.
	Sources [MaxSources]Source
	Vectors [256]Vector
}

// Bounds of an Interrupts. Sources beyond are not served.
const (
	MaxControllers = 8
	MaxSources     = 256
)

// Controller is an I/O interrupt controller.
type Controller struct {
	At    uintptr // where its registers are mapped
	First uint32  // its first source
	Lines uint32  // how many it has
}

// Source is an interrupt source.
type Source struct {
	// Level and Low say that it is level-triggered and active-low.
	Level, Low bool
	// Kernel says that the CPU driver uses it itself.
	Kernel bool
	// Vector is where it is routed to, 0 if nowhere.
	Vector uint8
}

// Vector is an interrupt vector.
type Vector struct {
	// Endpoint is the address of the endpoint that is notified, 0 for none.
	Endpoint memory.Phys
	// Connected says that Source is routed here.
	Connected bool
	Source    uint16
}

// Controller returns the controller that has a source, nil if there is none.
func (i *Interrupts) Controller(source uint64) *Controller {
	for n := range i.NumControllers {
		c := &i.Controllers[n%MaxControllers]
		if source >= uint64(c.First) && source-uint64(c.First) < uint64(c.Lines) {
			return c
		}
	}
	return nil
}
