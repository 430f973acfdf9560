/*
 * Can a wake-up get lost? One owner of a board and of several channels, the peer of
 * each channel, and a hostile peer that sets and clears hints as it likes. All sleep
 * whenever they may.
 *
 * What is one statement here is one access to memory in package urpc, or concerns
 * what only one process sees. The announcements there are odd numbers, each its own;
 * here they are flags, and with each new one its rung flags are cleared, which amounts to
 * the same. Between every store that another's look depends on and the next look is a full
 * fence there, so that memory is sequentially consistent as here.
 *
 * A lost wake-up ends in a state where nobody can go on and not all is received,
 * which spin reports as an invalid end state. Names in capitals are variants that
 * must be found faulty, but for those with a value: see model_test.go.
 */

#define CHANNELS 2
#ifndef MESSAGES
#define MESSAGES 2
#endif
#ifndef SLOTS
#define SLOTS 1
#endif
#ifndef TAKES
#define TAKES 2 /* after so many looks at hints the owner looks at all channels */
#endif

/* The frame of each channel. */
byte sent[CHANNELS]      /* slots written */
byte acked[CHANNELS]     /* the receiver's word */
bool listening[CHANNELS] /* the receiver's sleep word: an announcement stands */
bool waiting[CHANNELS]   /* the sender's */

/* The board. */
bool summary
bool hint[CHANNELS]
bool asleep

/* Doorbells, as kernels keep them: rung and not yet waited for. */
bool bell
bool peerBell[CHANNELS]

/* The announcements for which somebody has rung. */
#ifdef HINT_ONCE
bool rungMessage[CHANNELS]
#define peerWaits atomic { ring = false; if :: listening[me] && !rungMessage[me] -> rungMessage[me] = true; ring = true :: else fi }
#else
#define peerWaits ring = listening[me]
#endif
bool rungRoom[CHANNELS]
bool rungBoard[CHANNELS]

byte read[CHANNELS] /* the owner's */
byte done           /* messages read of all channels */

#define pending(n) (sent[n] != read[n])

#ifdef NEVER_OVERDUE
#define overdue false
#define count skip
#else
#define overdue (takes == TAKES)
#define count takes++
#endif

/* Receiver.Receive until there is no more, and Receiver.NeedsDoorbell. */
inline drain(n) {
	do
	:: pending(n) ->
		atomic { read[n]++; done++ };
#ifdef ROOM_LOOK_FIRST
		if
		:: atomic { waiting[n] && !rungRoom[n] -> rungRoom[n] = true }; peerBell[n] = true
		:: else
		fi;
		acked[n] = read[n]
#else
		acked[n] = read[n];
		if
		:: atomic { waiting[n] && !rungRoom[n] -> rungRoom[n] = true }; peerBell[n] = true
		:: else
		fi
#endif
	:: else -> break
	od
}

/* What the owner does with a channel that it looks at: it polls, announces that it
   polls no more, and looks once more. */
inline attend(n) {
	listening[n] = false;
	do
	:: drain(n);
#ifdef ANNOUNCE_LAST
		if
		:: pending(n)
		:: else -> listening[n] = true; break
		fi
#else
#ifdef HINT_ONCE
		atomic { listening[n] = true; rungMessage[n] = false };
#else
		listening[n] = true;
#endif
		if
		:: pending(n) -> listening[n] = false
		:: else -> break
		fi
#endif
	od
}

/* Where it stands already there is no store. */
inline set(b) {
	if
	:: b
	:: else -> b = true
	fi
}

inline look(n) {
	if
	:: pending(n) -> attend(n)
	:: else
	fi
}

active proctype owner() {
	byte takes;
	bool taken0, taken1;
	attend(0);
	attend(1);
again:	do
	:: done == MESSAGES + 1 -> break
	:: else ->
		if
		:: overdue -> takes = 0; look(0); look(1) /* package wait, patience */
		:: !overdue && summary -> /* Board.Next */
			summary = false;
			atomic {
				taken0 = hint[0]; taken1 = hint[1];
				hint[0] = false; hint[1] = false
			};
			if
			:: taken0 -> taken0 = false; attend(0)
			:: else
			fi;
			if
			:: taken1 -> taken1 = false; attend(1)
			:: else
			fi;
			count
		:: else -> /* Board.Announce */
#ifdef BOARD_LOOK_FIRST
			look(0); look(1);
#endif
			atomic {
				asleep = true;
				rungBoard[0] = false; rungBoard[1] = false
			};
			if
			:: summary -> asleep = false; count
			:: else ->
				takes = 0;
				/* The look at all channels. */
#ifndef NO_FULL_LOOK
#ifndef BOARD_LOOK_FIRST
				if
				:: pending(0) -> asleep = false; look(0); look(1); goto again
				:: else
				fi;
				if
				:: pending(1) -> asleep = false; look(0); look(1); goto again
				:: else
				fi;
#endif
#endif
				if
				:: done == MESSAGES + 1 -> asleep = false
				:: else -> /* sleep */
					bell;
					bell = false;
					asleep = false
				fi
			fi
		fi
	od
}

active [CHANNELS] proctype peer() {
	byte me = _pid - 1;
	bool ring;
	do
	:: sent[me] == (me == 0 -> MESSAGES : 1) -> break
	:: else ->
		if
		:: sent[me] - acked[me] < SLOTS
		:: else ->
			/* Sender.Announce, and sleep until there is room. */
			atomic { waiting[me] = true; rungRoom[me] = false };
			do
			:: sent[me] - acked[me] < SLOTS -> break
			:: else -> peerBell[me]; peerBell[me] = false
			od;
			waiting[me] = false
		fi;
#ifdef NO_FENCE
		/* The message is still on its way when the word is looked at. */
		peerWaits;
		sent[me]++;
#else
		sent[me]++; /* Sender.Send */
		/* Sender.PeerWaits */
		peerWaits;
#endif
		if
		:: ring ->
			/* Bell.Hint */
#ifdef ASK_FIRST
			atomic { ring = asleep && !rungBoard[me]; rungBoard[me] = rungBoard[me] || asleep };
			set(hint[me]);
			set(summary);
#else
			set(hint[me]);
			set(summary);
			atomic { ring = asleep && !rungBoard[me]; rungBoard[me] = rungBoard[me] || asleep };
#endif
			if
			:: ring -> bell = true
			:: else
			fi
		:: else
		fi
	od
}

/* It can write the hints, and nothing else that matters to the others. */
active proctype hostile() {
#ifndef NO_HOSTILE
	do
	:: atomic { summary = false; hint[0] = false; hint[1] = false }
	:: atomic { hint[0] = true; summary = true }
	:: break
	od
#endif
	skip
}

/* Whatever the hostile peer does, and if it never stops, all is received. */
ltl delivered { <> (done == MESSAGES + 1) }
