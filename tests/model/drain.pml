/*
 * How results get from the workers to whoever needs them, and who sleeps where.
 *
 * Every read-modify-write, load and store of a shared word in the code is
 * sequentially consistent, so one step here is one such access (or one short
 * section under a mutex).  Nothing in this model wakes up by itself: the finite
 * slices that the code sleeps in are left out on purpose.
 *
 * A configuration is chosen with -D (see run.py); -DBREAK_x takes one step of
 * the protocol away, and the check must then fail.
 */

#ifndef NC
#define NC 1            /* channels, one worker each                         */
#endif
#ifndef RS
#define RS 2            /* slots in a task ring                              */
#endif
#ifndef NW
#define NW 2            /* waiters; waiter i submits task i and waits for it */
#endif
#ifndef NT
#define NT NW           /* tasks; NW..NT-1 come from the submitter           */
#endif
#ifndef CB
#define CB 0            /* the tasks with a callback, a bit each             */
#endif
#ifndef PLACED
#define PLACED 0        /* the tasks that were submitted before we look      */
#endif
#ifndef CANCEL
#define CANCEL 0        /* the tasks that someone tries to cancel            */
#endif

#define BIT(i)     (1 << (i))
#define SLOTS      (NC * RS)

#define EMPTY      0
#define PUBLISHED  1
#define CLAIMED    2
#define TAKEN      3

#define NONE       255

/* ---- shared with a worker: one of each per channel ---- */
byte turn[SLOTS];       /* task ring: the state of each slot                 */
byte task[SLOTS];       /* task ring: whose task it is                       */
byte res[NC];           /* result ring: results published and not yet taken  */
bit  wbell[NC];         /* worker_bell: 1 the worker is, or will be, asleep  */
bit  wasleep[NC];       /* it is in futex_wait                               */
byte hbell[NC];         /* host_bell: 0 nobody, 1 L, 2 E, 3 E when idle      */

/* ---- the host's own ---- */
bit  M;                 /* pool mutex: head, backlog, up, where              */
byte head[NC];          /* next slot to publish                              */
bit  down[NC];          /* no worker behind this channel                     */
byte where[NT];         /* the slot a task was put into                      */
byte backlog;           /* tasks in no ring                                  */
byte callbacks;         /* unfinished tasks whose end the engine must see    */
byte D;                 /* the drain lock; only ever tried                   */
byte armed;             /* what the last one to hold D left armed: 0, 2, 3   */
bit  L;                 /* eventfd the leader sleeps on                      */
#ifdef BREAK_ONE_BELL
#define E L
#else
bit  E;                 /* eventfd under the engine's loop                   */
#endif
byte done;              /* futures that are done                             */
byte waited;            /* futures with the WAITED mark                      */
byte posted;            /* ends queued for the engine                        */
byte inbox;             /* notes: 1 worker 0 died, 2 its successor is up     */
byte life;              /* of worker 0: 0 alive 1 killed 2 gone 3 noted      */
                        /* 4 cleared 5 successor runs 6 that is noted        */

/* ---- followers: one node per waiter, under the list's mutex ---- */
byte listed;            /* nodes in the list                                 */
byte chosen;            /* nodes taken off the list to lead next             */
byte fword;             /* their futex words: 1 woken                        */

/* ---- only for the checks ---- */
byte ran;               /* tasks that were run                               */
byte seen;              /* ends that the engine has seen                     */
byte submitted;
byte left = NW;         /* waiters that have not returned                    */

#if NC == 1
#define ROOM       (!down[0] && turn[head[0]] == EMPTY)
#define RESULTS    (res[0] != 0)
#else
#define ROOM       (ROOM_IN(0) || ROOM_IN(1))
#define RESULTS    (res[0] != 0 || res[1] != 0)
#endif
#define ROOM_IN(c) (!down[c] && turn[(c) * RS + head[c]] == EMPTY)

#define NEED       (callbacks -> 2 : (backlog -> 3 : 0))
#define UNARMED    ((callbacks && armed != 2) || (backlog && !armed))

/* ------------------------------------------------------------------ */
/* the drain lock */

/* 0 free, 1 held, 2 held and somebody else wanted it: CAS 0->1, or 1->2 */
inline try_drain(ok) {
    d_step {
        if
        :: D == 0 -> ok = 1; D = 1;
#ifndef BREAK_ARMED_KEPT
            armed = 0
#endif
        :: else -> ok = 0;
#if !defined(LOOK) && !defined(BREAK_NO_MARK)
            D = 2
#endif
        fi
    }
}

/* ------------------------------------------------------------------ */
/* the end of a task: first the future's word, then whoever must know */

inline finish(k) {      /* inside a d_step */
    assert(!(done & BIT(k)));
    done = done | BIT(k);
    where[k] = NONE;
    if
    :: CB & BIT(k) -> callbacks--
    :: else
    fi
}

inline tell(k) {
    d_step {
        if
        :: waited & BIT(k) -> fword = fword | (listed & BIT(k))
        :: else
        fi;
        if
        :: CB & BIT(k) -> posted = posted | BIT(k); E = 1
        :: else
        fi;
        k = 0
    }
}

/* ------------------------------------------------------------------ */
/* dispatch: under M, task t into channel c */

inline publish() {
    d_step {
        x = c * RS + head[c];
        assert(turn[x] == EMPTY);
        task[x] = t;
        where[t] = x;
        head[c] = (head[c] + 1) % RS;
        turn[x] = PUBLISHED;
        x = 0
    };
#ifdef BREAK_SUBMIT_NO_BELL
    skip
#else
    d_step { x = wbell[c]; wbell[c] = 0 };
    if
    :: x -> d_step { wasleep[c] = 0; x = 0 }
    :: else
    fi
#endif
}

inline pick_room() {
#if NC == 1
    c = 0
#else
    if
    :: ROOM_IN(0) -> c = 0
    :: ROOM_IN(1) -> c = 1
    fi
#endif
}

inline lowest(set) {    /* inside a d_step */
    t = 0;
    do
    :: !((set) & BIT(t)) -> t++
    :: else -> break
    od
}

/* A task that waits behind a running one, while the other worker has nothing. */
#ifdef STEAL
#define SPARE(a, b) (!down[b] && \
    turn[(b) * RS] == EMPTY && turn[(b) * RS + 1] == EMPTY && \
    ((turn[(a) * RS] == CLAIMED && turn[(a) * RS + 1] == PUBLISHED) || \
     (turn[(a) * RS] == PUBLISHED && turn[(a) * RS + 1] == CLAIMED)))
#define STEALABLE   (SPARE(0, 1) || SPARE(1, 0))
#else
#define STEALABLE   false
#endif
#define TODO        ((backlog && ROOM) || STEALABLE)

/* under M: take slot x back if the worker has not claimed it; ok says */
inline take_back(ok) {
#ifdef BREAK_TAKE_NO_CAS
    ok = (turn[x] == PUBLISHED);
    if
    :: ok -> turn[x] = TAKEN
    :: else
    fi
#else
    d_step {
        ok = (turn[x] == PUBLISHED);
        if
        :: ok -> turn[x] = TAKEN
        :: else
        fi
    }
#endif
}

inline refill() {
#ifdef BREAK_REFILL_UNLOCKED
    if
    :: atomic { !TODO -> skip }
#else
    if
    :: atomic { !M && !TODO -> skip }
#endif
    :: atomic { !M && TODO -> M = 1 };
        do
        :: atomic { backlog && ROOM -> pick_room(); d_step { lowest(backlog); backlog = backlog & ~BIT(t) } };
            publish()
#ifdef STEAL
        :: atomic { !backlog && STEALABLE ->
                d_step {
                    if
                    :: SPARE(0, 1) -> c = 1; x = (turn[0] == PUBLISHED -> 0 : 1)
                    :: else -> c = 0; x = RS + (turn[RS] == PUBLISHED -> 0 : 1)
                    fi
                } };
            take_back(any);
            if
            :: any -> t = task[x]; publish()
            :: else
            fi;
            any = 0
#endif
        :: else -> break
        od;
        atomic { M = 0; c = 0; t = 0; x = 0 }
    fi
}

/* ------------------------------------------------------------------ */
/* what the holder of D does */

inline drain() {
    do
    :: atomic { c < NC && res[c] != 0 ->
            d_step {
                assert(D);
                lowest(res[c]);
                res[c] = res[c] & ~BIT(t);
                turn[where[t]] = EMPTY;
                finish(t)
            } };
        tell(t)
    :: d_step { c < NC && res[c] == 0 -> c++ }
    :: atomic { c == NC -> c = 0; break }
    od
}

/* the notes: a dead worker's channel is drained before it is judged */
inline notes() {
#ifdef KILL
    do
    :: d_step { inbox & 1 -> inbox = inbox & ~1 };
#ifndef BREAK_JUDGED_FIRST
        drain();
#endif
        atomic { !M -> M = 1 };
        d_step {
            t = NONE;
            for (c : 0 .. RS - 1) {
                if
                :: turn[c] == PUBLISHED ->
#ifndef BREAK_NO_REQUEUE
                    backlog = backlog | BIT(task[c]);
#endif
                    where[task[c]] = NONE
                :: turn[c] == CLAIMED ->
#ifdef BREAK_CLAIMED_REQUEUED
                    backlog = backlog | BIT(task[c]);
                    where[task[c]] = NONE
#else
                    t = task[c]
#endif
                :: else
                fi;
                turn[c] = EMPTY;
                task[c] = 0
            }
            c = 0;
            head[0] = 0; wbell[0] = 0; wasleep[0] = 0; hbell[0] = 0; down[0] = 1;
            if
            :: t != NONE -> finish(t)
            :: else
            fi;
#ifdef BREAK_JUDGED_FIRST
#else
            assert(res[0] == 0);
#endif
            life = 4;
            M = 0
        };
        if
        :: t != NONE -> tell(t)
        :: else -> t = 0
        fi
    :: d_step { inbox & 2 -> inbox = inbox & ~2 };
        d_step { !M -> down[0] = 0 }
    :: else -> break
    od
#else
    skip
#endif
}

inline look() {         /* any: is there something to do? */
    d_step { any = (res[0] != 0) };
#if NC > 1
    d_step { any = any || res[1] != 0 };
#endif
    d_step { any = any || inbox || (backlog && ROOM) }
}

#ifdef BREAK_ARM_BUSY_ONLY
#define TO_ARM(c) (turn[(c) * RS] != EMPTY || turn[(c) * RS + RS - 1] != EMPTY)
#else
#define TO_ARM(c) true
#endif

inline arm(what) {
    d_step { hbell[0] = (TO_ARM(0) -> what : hbell[0]) };
#if NC > 1
    d_step { hbell[1] = (TO_ARM(1) -> what : hbell[1]) };
#endif
}

/* choose a follower, if there is one, to lead next: off the list, woken */
inline choose(ok) {     /* inside an atomic */
    if
    :: listed == 0 -> ok = 0
#if NW > 0
    :: listed & 1 -> d_step { ok = 1; listed = listed & ~1; chosen = chosen | 1; fword = fword | 1 }
#endif
#if NW > 1
    :: listed & 2 -> d_step { ok = 1; listed = listed & ~2; chosen = chosen | 2; fword = fword | 2 }
#endif
#if NW > 2
    :: listed & 4 -> d_step { ok = 1; listed = listed & ~4; chosen = chosen | 4; fword = fword | 4 }
#endif
    fi
}

/* Drain if nobody does, and leave E armed if the engine is wanted. */
inline settle() {
    held = 0;
    do
    :: atomic { try_drain(got);
            if
            :: !got -> break
            :: else -> got = 0; held = 1
            fi };
        do
        :: notes();
            drain();
            refill();
            atomic { want = NEED;
                if
                :: want == 0 -> break
                :: else
                fi };
#ifdef BREAK_ARMED_AFTER
            arm(want);
            armed = want;
#else
            armed = want;
            arm(want);
#endif
            want = 0;
#ifdef BREAK_SETTLE_NO_RELOOK
            break
#else
            look();
            if
            :: any -> any = 0
            :: else -> break
            fi
#endif
        od;
        /* whoever failed to get D meanwhile left its work to us */
        atomic { any = (D == 2); D = 0;
#ifdef LOOK
            any = 1;
#endif
            if
            :: any -> any = 0
            :: else -> break
            fi };
#ifndef BREAK_SETTLE_NO_FOLLOWERS
        atomic { choose(got);
            if
            :: got -> got = 0; break
            :: else
            fi };
#endif
#ifdef LOOK
        look();
        atomic {
#ifndef BREAK_LOOK_NO_WANT
            any = any || UNARMED;
#endif
            if
            :: any -> any = 0
            :: else -> break
            fi };
#endif
    od
}

/* after D was let go by a leader, or by one who was chosen and need not lead */
inline hand_over() {
#ifndef BREAK_LEAVE_NO_WAKE
    atomic { choose(got) };
#endif
    if
    :: got -> got = 0
    :: else ->
        if
#ifdef BREAK_LEAVE_NO_INBOX
        :: callbacks || backlog -> settle()
#else
        :: callbacks || backlog || inbox -> settle()
#endif
        :: else
        fi
    fi
}

inline submit(k) {
    d_step {
        submitted = submitted | BIT(k);
        if
        :: CB & BIT(k) -> callbacks++
        :: else
        fi
    };
    atomic { !M -> M = 1; any = (backlog || !ROOM);
        if
        :: any -> skip
        :: else -> t = k; pick_room()
        fi };
    if
    :: any -> backlog = backlog | BIT(k)
    :: else -> publish()
    fi;
    d_step { M = 0; c = 0; t = 0 };
    any = any || (CB & BIT(k));
    if
    :: any && UNARMED -> any = 0; settle()
    :: else -> any = 0
    fi
}

/* ------------------------------------------------------------------ */
/* actors */

proctype Worker(byte me) {
    byte pos, t, x;
    bit owed;           /* something was published since a bell was looked at */

    {
again:
        do
        :: d_step { turn[me * RS + pos] == PUBLISHED ->
                turn[me * RS + pos] = CLAIMED;
                t = task[me * RS + pos];
                assert(!(ran & BIT(t)) && !(done & BIT(t)));
                ran = ran | BIT(t) };
#ifdef DEPENDS
            /* a task that does not end before another task's end was seen */
            if
            :: t == DEPENDS -> (done & BIT(1 - DEPENDS))
            :: else
            fi;
#endif
            d_step { res[me] = res[me] | BIT(t); t = 0; pos = (pos + 1) % RS; owed = 1 };
            /* ring now, or put it off */
            if
#ifndef RING_NOW
            :: true
#else
            :: hbell[me] == 0 || hbell[me] == 3
#endif
            :: d_step { hbell[me] == 1 || hbell[me] == 2 -> x = hbell[me]; hbell[me] = 0; owed = 0 };
                goto ring
            fi
        :: d_step { turn[me * RS + pos] == TAKEN ->
                turn[me * RS + pos] = EMPTY;
                pos = (pos + 1) % RS;
#ifndef BREAK_SKIP_SILENT
                owed = 1
#endif
            }
        :: else -> break
        od;
#ifndef BREAK_SLEEP_NO_RING
        if
        :: owed -> d_step { x = hbell[me]; hbell[me] = 0; owed = 0 };
            if
            :: x -> goto ring
            :: else
            fi
        :: else
        fi;
#endif
        wbell[me] = 1;
#ifndef BREAK_WORKER_NO_RELOOK
        if
        :: turn[me * RS + pos] == PUBLISHED || turn[me * RS + pos] == TAKEN -> wbell[me] = 0; goto again
        :: else
        fi;
#endif
        d_step {
            if
            :: wbell[me] -> wasleep[me] = 1
            :: else
            fi
        };
end_asleep:
        !wasleep[me];
        goto again;
ring:
        if
        :: x == 1 -> L = 1
        :: else -> E = 1
        fi;
        x = 0;
        goto again
    }
#ifdef KILL
    unless { me == 0 && life == 1 };
    d_step { life = 2; pos = 0; t = 0; x = 0; owed = 0 };
end_gone:
    d_step { life == 4 -> life = 5 };
    goto again
#endif
}

inline unlist() {
    d_step {
        listed = listed & ~BIT(me);
        pick = (chosen & BIT(me)) != 0;
        chosen = chosen & ~BIT(me);
        fword = fword & ~BIT(me)
    }
}

proctype Waiter(byte me) {
    byte c, t, x, want;
    bit any, got, held, pick, lead;

    if
    :: PLACED & BIT(me)
    :: else -> submit(me)
    fi;
    do
    :: done & BIT(me) -> break
    :: else ->
        atomic { try_drain(got);
            if
            :: got -> got = 0; goto leader
            :: else
            fi };
        d_step { listed = listed | BIT(me); chosen = chosen & ~BIT(me); fword = fword & ~BIT(me); pick = 0 };
        waited = waited | BIT(me);
#ifndef BREAK_FOLLOWER_NO_RETRY
        atomic { try_drain(got);
            if
            :: got -> got = 0; unlist(); goto leader
            :: else
            fi };
#endif
        if
        :: done & BIT(me)
        :: else ->
            if
            :: fword & BIT(me)
#ifdef IMPATIENT
            :: me == 1 -> unlist(); goto leave
#endif
            fi
        fi;
        unlist()
    od;
    goto leave;

leader:
    atomic { lead = 1; pick = 0 };
    do
    :: notes();
        drain();
        refill();
        if
        :: done & BIT(me) -> break
        :: else
        fi;
        arm(1);
#ifndef BREAK_LEADER_NO_RELOOK
        look();
#endif
        if
        :: any -> any = 0
        :: else ->
            if
            :: d_step { L -> L = 0 }
#ifdef IMPATIENT
            :: me == 1 -> break
#endif
            fi
        fi
    od;
    D = 0;

leave:
#ifdef BREAK_CHOSEN_NO_PASS
    pick = 0;
#endif
    if
    :: lead || pick -> hand_over()
    :: else
    fi;
    left--
}

proctype Submitter() {
    byte c, t, x, want, k;
    bit any, got, held;

    k = NW;
    do
    :: k < NT ->
        if
        :: PLACED & BIT(k)
        :: else -> submit(k)
        fi;
        k++
    :: else -> break
    od
}

proctype Canceller() {
    byte x, k;
    bit ok;

    do
    :: k < NT ->
        if
        :: !(CANCEL & BIT(k)) -> k++
        :: else ->
            submitted & BIT(k);
            atomic { !M -> M = 1 };
            x = where[k];
            if
            :: d_step { backlog & BIT(k) -> backlog = backlog & ~BIT(k); ok = 1 }
            :: !(backlog & BIT(k)) && x == NONE
            :: !(backlog & BIT(k)) && x != NONE -> take_back(ok)
            fi;
            M = 0;
            if
            :: ok ->
                d_step { finish(k); ran = ran | BIT(k) };
                x = k; tell(x);
#ifndef BREAK_CANCEL_NO_L
                if
                :: D -> L = 1
                :: else
                fi
#endif
            :: else
            fi;
            d_step { ok = 0; x = 0; k++ }
        fi
    :: else -> break
    od
}

proctype Engine() {
    byte c, t, x, want;
    bit any, got, held, note;

end_wait:
    do
#ifdef BREAK_ENGINE_RESET_LATE
    :: E -> d_step { seen = seen | posted; posted = 0 };
        E = 0;
        settle()
#else
    :: d_step { E -> E = 0 };
#ifndef BREAK_ENGINE_KEEPS_ARMED
        armed = 0;
#endif
        d_step { seen = seen | posted; posted = 0 };
        settle()
#endif
#ifdef KILL
    :: d_step { life == 2 -> life = 3; inbox = inbox | 1 };
        note = 1
    :: d_step { life == 5 -> life = 6; inbox = inbox | 2 };
        note = 1
    :: d_step { note -> note = 0 };
        settle();
#ifndef BREAK_NOTE_NO_L
        if
        :: !held -> L = 1
        :: else
        fi
#endif
#endif
    od
}

proctype Killer() {
    life = 1
}

/* Nothing can move any more: everything must be where it belongs. */
proctype Stillness() {
    byte c;

    timeout;
    d_step {
        assert(left == 0);                          /* no waiter sleeps       */
        assert(ran == BIT(NT) - 1 || backlog == 0);
        assert(backlog == 0);
        assert(inbox == 0);
        assert(!D && !M);
        assert(seen == CB);                         /* callbacks arrived      */
        assert(callbacks == 0);
        for (c : 0 .. SLOTS - 1) {                  /* no task left in a ring */
            assert(turn[c] != PUBLISHED && turn[c] != TAKEN)
        }
        for (c : 0 .. NT - 1) {                     /* finished, or its result is there */
            assert((done & BIT(c)) || (where[c] != NONE && (res[where[c] / RS] & BIT(c))))
        }
        c = 0
    }
}

init {
    byte i;

    atomic {
        for (i : 0 .. NT - 1) {
            where[i] = NONE;
            if
            :: PLACED & BIT(i) ->
                submitted = submitted | BIT(i);
                if
                :: i / NC < RS ->
                    where[i] = (i % NC) * RS + i / NC;
                    turn[where[i]] = PUBLISHED;
                    task[where[i]] = i;
                    head[i % NC] = (i / NC + 1) % RS
                :: else -> backlog = backlog | BIT(i)
                fi;
                if
                :: CB & BIT(i) -> callbacks++
                :: else
                fi
            :: else
            fi
        }
        armed = NEED;
        for (i : 0 .. NC - 1) { hbell[i] = armed }
        for (i : 0 .. NC - 1) { run Worker(i) }
        for (i : 0 .. NW - 1) { run Waiter(i) }
        i = 0;
        run Engine();
#if NT > NW
        run Submitter();
#endif
#if CANCEL
        run Canceller();
#endif
#ifdef KILL
        run Killer();
#endif
        run Stillness()
    }
}
