// Package names is the protocol by which programs find each other: one exports an
// interface under a name, others look the name up, wait until somebody has it, or
// watch it, to be told when it is gone.
//
// One core, that of the leading monitor, has the registry (Registry); every core
// has an agent (Agent), which asks it on behalf of its programs. All that can be
// answered is answered exactly once: the registry answers each request by the
// agent's number for it, and an agent forgets a number when it is answered. A
// Cancel makes the registry answer what it has not answered yet; if the answer is
// under way, that is the answer. A watch is a request too: its answer is that the
// name is gone.
//
// The registry decides one message after the other, so all sees one order: who
// finds a name finds the one that has it at some time between question and answer.
// It may be gone when the answer comes; whoever binds to it then hears so.
//
// Names go with the programs and cores that exported them. The loss of the
// registry's core is the end of all names: every request is answered by ErrCore,
// then and later. (Agents know all that their programs export, so a registry can be
// built anew of what they have. Where, the monitors must agree first; that is no
// part of this package.)
//
// Monitors import it. It must never act on what a name means.
package names
