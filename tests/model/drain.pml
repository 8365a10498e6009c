// SPDX-License-Identifier: MIT
/*
 * How results get from the workers to whoever needs them, and who sleeps where.
 * README.md says which step is which line of the library, run.py what is run.
 *
 * One step is one access to a shared word, all of them sequentially consistent,
 * or one short section under a mutex. Nothing here wakes up by itself: the
 * slices and ticks of the code are left out, so nothing can rely on them.
 *
 * -DBREAK_x takes one step of the protocol away; the check must then fail.
 */

#ifndef NC
#define NC 1            /* channels, one worker each                         */
#endif
#ifndef RS
#define RS 2            /* slots in a task ring                              */
#endif
#ifndef DEPTH
#define DEPTH RS        /* tasks a worker holds at most                      */
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

#define EMPTY      0    /* or of an earlier round                            */
#define PUBLISHED  1
#define CLAIMED    2
#define TAKEN      3

#define NONE       255

/* ---- shared with the worker: one of each per channel ---- */
byte turn[NC * RS];     /* task ring: the state of each slot                 */
byte task[NC * RS];     /* task ring: whose task it is                       */
byte res[NC];           /* result ring: results published and not yet taken  */
byte passed[NC];        /* how far the worker came by skipping               */
bit  wbell[NC];         /* worker_bell: 1 the worker is, or will be, asleep  */
bit  wsleeps[NC];       /* it is in futex_wait                               */
byte hbell[NC];         /* host_bell: 0 nobody, 1 L, 2 E, 3 E when dry       */

/* ---- the pool's mutex, and what it guards ---- */
bit  M;
byte head[NC];          /* position of the next task                         */
byte tail[NC];          /* positions below it are done with                  */
byte held[NC];          /* tasks given and not ended                         */
bit  down[NC];          /* no worker that said hello behind this channel     */
byte place[NT];         /* the channel a task was given to                   */
byte pos_of[NT];        /* and its position there                            */
byte backlog;           /* tasks that no worker was given                    */

/* ---- the drain lock, the bells, and what tells who is wanted ---- */
bit  D;                 /* only ever tried                                   */
bit  L;                 /* eventfd the leader sleeps on                      */
#ifdef BREAK_ONE_BELL
#define E L
#else
bit  E;                 /* eventfd under the engine's loop                   */
#endif
bit  asleep;            /* leader_asleep                                     */
byte armed;             /* engine_armed: what the bells were set to: 0, 2, 3 */
byte callbacks;         /* callbacks that are due                            */
byte inbox;             /* notes: 1 worker 0 died, 2 its successor is up     */
byte life;              /* of worker 0: 0 alive 1 killed 2 gone 3 noted      */
                        /* 4 buried 5 successor runs 6 that is noted         */

/* ---- futures, and the waiters' list: a bit per task, a bit per waiter ---- */
byte done;
byte waited;            /* the WAITED mark                                   */
byte listed;            /* registered followers                              */
byte word;              /* their futex words                                 */

/* ---- only for the checks ---- */
byte submitted;
byte ran;
byte called;            /* tasks whose callback was called                   */
byte gone;              /* waiters that have returned                       */
bit  inside;            /* somebody drains                                   */

#define SLOT(c, p)   ((c) * RS + (p) % RS)
#define CAN_TAKE(c)  (!down[c] && held[c] < DEPTH && head[c] - tail[c] < RS)
#if NC == 1
#define ROOM         CAN_TAKE(0)
#else
#define ROOM         (CAN_TAKE(0) || CAN_TAKE(1))
#endif

#define WANTED       (callbacks -> 2 : (backlog -> 3 : 0))
#define ENGINE_WANTED \
    (inbox || (callbacks && armed != 2) || (backlog && !armed))

/* ------------------------------------------------------------------ */
/* The drain lock */

inline try_drain(ok) {
    d_step {
#ifdef BREAK_TRY_IGNORED
        ok = 1;
#else
        ok = !D;
#endif
        D = 1;
        if
        :: ok -> assert(!inside); inside = 1
        :: else
        fi
    }
}

inline let_go() {       /* inside an atomic */
    inside = 0; D = 0
}

/* ------------------------------------------------------------------ */
/* The end of task k: first the future's word, then whoever must know  */

inline finish(k) {      /* inside a d_step */
    assert(!(done & BIT(k)));
    done = done | BIT(k);
    place[k] = NONE;
    pos_of[k] = 0
}

inline tell(k) {
    if
    :: d_step { waited & BIT(k) -> word = word | listed };
#ifndef BREAK_WAKE_NO_LEADER
        d_step {
            if
            :: asleep -> L = 1
            :: else
            fi
        }
#endif
    :: else
    fi;
    if
    :: d_step { CB & BIT(k) -> called = called | BIT(k); callbacks-- }
    :: else
    fi
}

/* ------------------------------------------------------------------ */
/* Dispatch: everything here is under M                                */

inline lowest(set) {    /* inside a d_step */
    t = 0;
    do
    :: !((set) & BIT(t)) -> t++
    :: else -> break
    od
}

inline pick_room() {    /* inside an atomic */
#if NC == 1
    c = 0
#else
    if
    :: CAN_TAKE(0) -> c = 0
    :: CAN_TAKE(1) -> c = 1
    fi
#endif
}

/* task t to channel c */
inline give() {
    d_step {
        x = SLOT(c, head[c]);
        assert(turn[x] == EMPTY);
        task[x] = t;
        place[t] = c;
        pos_of[t] = head[c];
        head[c]++;
        held[c]++;
        turn[x] = PUBLISHED;
        x = 0
    };
#ifndef BREAK_SUBMIT_NO_BELL
    d_step { x = wbell[c]; wbell[c] = 0 };
    if
    :: x -> d_step { wsleeps[c] = 0; x = 0 }
    :: else
    fi;
#endif
    d_step { c = 0; t = 0 }
}

/* task t back from its worker; ok unless that has claimed it */
inline take_back(ok) {  /* x is its slot */
#ifdef BREAK_TAKE_NO_CAS
    ok = (turn[x] == PUBLISHED);
    if
    :: ok -> turn[x] = TAKEN
    :: else
    fi;
#else
    d_step {
        ok = (turn[x] == PUBLISHED);
        if
        :: ok -> turn[x] = TAKEN
        :: else
        fi
    };
#endif
    d_step {
        if
        :: ok -> held[place[t]]--; place[t] = NONE; pos_of[t] = 0
        :: else
        fi;
        x = 0
    }
}

/* A worker has nothing, and another one a task that it has not begun. */
#ifdef BALANCE
#define QUEUED(a)    (turn[(a) * RS] == PUBLISHED || turn[(a) * RS + 1] == PUBLISHED)
#define SPARE(a, b)  (held[a] > 1 && QUEUED(a) && held[b] == 0 && CAN_TAKE(b))
#define TO_BALANCE   (!backlog && (SPARE(0, 1) || SPARE(1, 0)))
#else
#define TO_BALANCE   false
#endif
#define TO_FILL      ((backlog && ROOM) || TO_BALANCE)

inline fill() {
    do
    :: atomic { backlog && ROOM -> pick_room(); d_step { lowest(backlog); backlog = backlog & ~BIT(t) } };
        give()
#ifdef BALANCE
    :: atomic { TO_BALANCE ->
            d_step {
                x = (SPARE(0, 1) -> 0 : RS);
                x = (turn[x] == PUBLISHED -> x : x + 1);
                t = task[x]
            } };
        take_back(got);
        if
        :: got -> d_step { got = 0; c = (held[0] == 0 && CAN_TAKE(0) -> 0 : 1) };
            give()
        :: else -> t = 0
        fi
#endif
    :: atomic { !TO_FILL -> break }
    od
}

/* ------------------------------------------------------------------ */
/* With D: look at everything once; any says whether there was something */

#if CANCEL || defined(BALANCE)
#define SKIPS           /* a worker may have to skip                         */
#endif

#ifdef BREAK_PASSED_BELIEVED
#define NOT_IN_FLIGHT(turn)  true
#else
#define NOT_IN_FLIGHT(turn)  (turn != PUBLISHED && turn != CLAIMED)
#endif

inline read_results() {
    do
    :: c < NC ->
        do
        :: d_step { res[c] != 0 ->
                assert(D && inside);
                lowest(res[c]);
                res[c] = res[c] & ~BIT(t);
                turn[SLOT(c, pos_of[t])] = EMPTY;
                upto = pos_of[t] + 1;
                n++;
                finish(t) };
            tell(t);
            t = 0
        :: res[c] == 0 -> break
        od;
#ifdef SKIPS
        atomic { upto = (passed[c] > upto -> passed[c] : upto) };
        if
        :: n || upto > tail[c] ->
#else
        if
        :: n ->
#endif
            d_step { !M ->
                held[c] = held[c] - n;
                any = any || n;
                do      /* as far as nothing is in flight */
                :: tail[c] < upto && NOT_IN_FLIGHT(turn[SLOT(c, tail[c])]) -> tail[c]++; any = 1
                :: else -> break
                od;
                n = 0 }
        :: else
        fi;
        atomic { upto = 0; c++ }
    :: c == NC -> break
    od;
    c = 0
}

/* A dead worker's results are read before its tasks are judged. */
inline read_notes() {
#ifdef KILL
    do
    :: d_step { inbox & 1 -> inbox = inbox & ~1; any = 1 };
#ifndef BREAK_JUDGED_FIRST
        read_results();
#endif
        d_step { !M ->
            t = NONE;
            for (c : 0 .. RS - 1) {
                if
                :: turn[c] == PUBLISHED ->
                    place[task[c]] = NONE;
                    pos_of[task[c]] = 0;
#ifndef BREAK_NO_REQUEUE
                    backlog = backlog | BIT(task[c])
#endif
                :: turn[c] == CLAIMED ->
#ifdef BREAK_CLAIMED_REQUEUED
                    place[task[c]] = NONE;
                    pos_of[task[c]] = 0;
                    backlog = backlog | BIT(task[c])
#else
                    t = task[c];
                    assert(!(res[0] & BIT(t)));
                    finish(t)
#endif
                :: else
                fi;
                turn[c] = EMPTY;
                task[c] = 0
            }
            c = 0;
            head[0] = 0; tail[0] = 0; held[0] = 0; passed[0] = 0; res[0] = 0;
            wbell[0] = 0; wsleeps[0] = 0; hbell[0] = 0; down[0] = 1;
            life = 4 };
        if
        :: t != NONE -> tell(t)
        :: else
        fi;
        t = 0
    :: d_step { inbox & 2 -> inbox = inbox & ~2; any = 1 };
        d_step { !M -> down[0] = 0 };
#ifndef BREAK_NEW_CHANNEL_UNARMED
        armed = 0
#endif
    :: inbox == 0 -> break
    od
#else
    skip
#endif
}

inline look() {
    any = 0;
    read_notes();
    read_results();
    if
    :: any ->
        if
        :: atomic { !M && !TO_FILL }
        :: atomic { !M && TO_FILL -> M = 1 };
            fill();
            M = 0
        fi
    :: else
    fi
}

#ifdef BREAK_ARM_BUSY_ONLY
#define TO_ARM(c) (held[c] > 0)
#else
#define TO_ARM(c) true
#endif

inline arm_all(bell) {
    d_step { hbell[0] = (TO_ARM(0) -> bell : hbell[0]) };
#if NC > 1
    d_step { hbell[1] = (TO_ARM(1) -> bell : hbell[1]) };
#endif
}

/* ------------------------------------------------------------------ */
/* Without D */

/* ok: a follower was told to look again */
inline wake_one(ok) {   /* inside an atomic */
    if
    :: listed == 0 -> ok = 0
    :: listed & 1 -> ok = 1; word = word | 1
#if NW > 1
    :: listed & 2 -> ok = 1; word = word | 2
#endif
#if NW > 2
    :: listed & 4 -> ok = 1; word = word | 4
#endif
    fi
}

/* what the engine is to be rung for now that nobody leads */
inline set_bells() {
    want = WANTED;
#ifdef BREAK_ARMED_AFTER
    if
    :: want -> arm_all(want)
    :: else
    fi;
    armed = want;
#else
    armed = want;
    if
    :: want -> arm_all(want)
    :: else
    fi;
#endif
    want = 0
}

inline settle() {
    do
    :: atomic { try_drain(got);
            if
            :: !got -> break
            :: else -> got = 0
            fi };
        do
        :: look();
            if
            :: set && !any -> break
            :: set && any -> set = 0
            :: !set -> set_bells();
#ifdef BREAK_SETTLE_NO_RELOOK
                break
#else
                set = 1
#endif
            fi
        od;
        atomic { any = 0; set = 0; let_go() };
#ifndef BREAK_SETTLE_NO_FOLLOWERS
        atomic { wake_one(got);
            if
            :: got -> got = 0; break
            :: else
            fi };
#endif
#ifdef BREAK_SETTLE_NO_AFTERLOOK
        break
#else
        if
        :: ENGINE_WANTED
        :: else -> break
        fi
#endif
    od
}

inline settle_if_wanted() {
    if
    :: ENGINE_WANTED -> settle()
    :: else
    fi
}

/* by a leader who has let D go, or a follower who was told to look again and does not wait any more */
inline hand_over() {
#ifndef BREAK_LEAVE_NO_WAKE
    atomic { wake_one(got) };
#endif
    if
    :: got -> got = 0
#ifdef BREAK_LEAVE_NO_SETTLE
    :: else
#else
    :: else -> settle_if_wanted()
#endif
    fi
}

inline submit(k) {
    d_step {
        if
        :: CB & BIT(k) -> callbacks++
        :: else
        fi
    };
    atomic { !M -> M = 1;
        if
        :: backlog || !ROOM
        :: else -> t = k; pick_room(); got = 1
        fi };
    if
    :: got -> got = 0; give()
    :: else -> backlog = backlog | BIT(k)
    fi;
    d_step { submitted = submitted | BIT(k); M = 0 };
    settle_if_wanted()
}

/* ------------------------------------------------------------------ */
/* Actors */

#define LOCALS  byte c, t, x, n, upto, want; bit any, got, set

#define NEXT    turn[me * RS + pos % RS]

proctype Worker(byte me) {
    byte pos, t, x;
    bit unrung, skipped, wet;

    {
again:
        do
        :: d_step { NEXT == PUBLISHED ->
                NEXT = CLAIMED;
                t = task[me * RS + pos % RS];
                pos++;
                skipped = 0;
                assert(!(ran & BIT(t)) && !(done & BIT(t)));
                ran = ran | BIT(t) };
#ifdef DEPENDS
            /* it does not end before the other one's waiter has returned */
            if
            :: t == DEPENDS -> (gone & BIT(1 - DEPENDS))
            :: else
            fi;
#endif
            d_step { res[me] = res[me] | BIT(t); t = 0; unrung = 1 };
            wet = (NEXT == PUBLISHED || NEXT == TAKEN);
#if !defined(RING_NOW) || defined(BREAK_PUT_OFF)
            /* the next task is at hand: the bell may be put off */
            if
            :: wet -> wet = 0; goto again
            :: true
            fi;
#endif
ring:
            if
            :: d_step { unrung && !(hbell[me] == 3 && wet) ->
                    x = hbell[me]; hbell[me] = 0; unrung = 0; wet = 0 };
                if
                :: x == 1 -> L = 1
                :: x > 1 -> E = 1
                :: else
                fi;
                x = 0
            :: else -> wet = 0
            fi
        :: d_step { NEXT == TAKEN -> NEXT = EMPTY; pos++; skipped = 1 }
        :: NEXT != PUBLISHED && NEXT != TAKEN ->
            if
            :: skipped ->
#ifndef BREAK_SKIP_SILENT
                unrung = 1;
#endif
                d_step { passed[me] = pos; skipped = 0 }
            :: else
            fi;
#ifndef BREAK_SLEEP_NO_RING
            if
            :: unrung -> goto ring
            :: else
            fi;
#endif
            wbell[me] = 1;
#ifndef BREAK_WORKER_NO_RELOOK
            if
            :: NEXT == PUBLISHED || NEXT == TAKEN -> wbell[me] = 0; goto again
            :: else
            fi;
#endif
            d_step {
                if
                :: wbell[me] -> wsleeps[me] = 1
                :: else
                fi
            };
end_asleep: !wsleeps[me];
            wbell[me] = 0
        od
    }
#ifdef KILL
    unless { me == 0 && life == 1 };
    d_step { life = 2; pos = 0; t = 0; x = 0; unrung = 0; skipped = 0; wet = 0 };
end_gone:
    d_step { life == 4 -> life = 5 };
    goto again
#endif
}

inline enlist() {
    d_step { listed = listed | BIT(me); word = word & ~BIT(me) }
}

inline unlist(told) {   /* told: it was told to look again */
    d_step { told = (word & BIT(me)) != 0; listed = listed & ~BIT(me); word = word & ~BIT(me) }
}

proctype Waiter(byte me) {
    LOCALS;
    bit told;

    if
    :: PLACED & BIT(me)
    :: else -> submit(me)
    fi;
    do
    :: done & BIT(me) -> told = 0; break
    :: else ->
        atomic { told = 0; try_drain(got);
            if
            :: got -> got = 0; goto leader
            :: else
            fi };
        enlist();
        waited = waited | BIT(me);
#ifndef BREAK_FOLLOWER_NO_RETRY
        atomic { try_drain(got);
            if
            :: got -> got = 0; goto chosen
            :: else
            fi };
#endif
        if
        :: done & BIT(me)
        :: else ->
            if
            :: word & BIT(me)
#ifdef IMPATIENT
            :: me == 1 -> unlist(told); break
#endif
            fi
        fi;
        unlist(told);
        if
        :: done & BIT(me) -> break
        :: else
        fi
    od;
    goto leave;

chosen:
    unlist(told);
leader:
    do
    :: look();
        if
        :: !set && (done & BIT(me)) -> break
        :: !set && !(done & BIT(me)) && !any ->
            asleep = 1;
            waited = waited | BIT(me);
            arm_all(1);
            armed = 0;
            set = 1;
#ifdef BREAK_LEADER_NO_RELOOK
            goto sleep
#endif
        :: !set && !(done & BIT(me)) && any
        :: set && (any || (done & BIT(me))) -> asleep = 0; set = 0
        :: set && !(any || (done & BIT(me))) ->
sleep:
            if
            :: L -> asleep = 0; L = 0; set = 0
#ifdef IMPATIENT
            :: me == 1 -> asleep = 0; set = 0; break
#endif
            fi
        fi
    od;
    atomic { any = 0; let_go(); told = 1 };
#ifdef BREAK_CHOSEN_NO_PASS
    goto hand;
leave:
    told = 0;
hand:
#else
leave:
#endif
    if
    :: told -> told = 0; hand_over()
    :: else
    fi;
    gone = gone | BIT(me)
}

proctype Submitter() {
    LOCALS;
    byte k = NW;

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
    LOCALS;
    byte k;

    do
    :: k < NT ->
        if
        :: CANCEL & BIT(k) ->
            atomic { (submitted & BIT(k)) && !M -> M = 1 };
            t = k;
            if
            :: d_step { backlog & BIT(k) -> backlog = backlog & ~BIT(k); got = 1 }
            :: d_step { !(backlog & BIT(k)) && place[k] != NONE -> x = SLOT(place[k], pos_of[k]) };
                take_back(got)
            :: !(backlog & BIT(k)) && place[k] == NONE
            fi;
            t = 0;
            if
            :: got ->
                d_step { finish(k); ran = ran | BIT(k); got = 0 };
                tell(k)
            :: else
            fi;
            M = 0;
            settle_if_wanted()
        :: else
        fi;
        k++
    :: else -> break
    od
}

proctype Engine() {
    LOCALS;

end_wait:
    do
    :: d_step { E -> E = 0 };
#ifndef BREAK_ENGINE_KEEPS_ARMED
        armed = 0;
#endif
        settle()
#ifdef KILL
    :: d_step { (life == 2 || life == 5) ->
            inbox = inbox | (life == 2 -> 1 : 2); life++ };
#ifndef BREAK_NOTE_NO_L
        d_step {
            if
            :: asleep -> L = 1
            :: else
            fi
        };
#endif
        settle()
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
        assert(gone == BIT(NW) - 1);    /* nobody waits for ever             */
        assert(backlog == 0 && inbox == 0 && !D && !M);
        assert(callbacks == 0 && called == CB);
        for (c : 0 .. NC * RS - 1) {    /* nobody sleeps with work at hand   */
            assert(turn[c] != PUBLISHED && turn[c] != TAKEN)
        }
        for (c : 0 .. NT - 1) {         /* each ended, or its result is there */
            assert((done & BIT(c)) || (place[c] != NONE && (res[place[c]] & BIT(c))))
        }
        c = 0
    }
}

init {
    byte i, j;

    atomic {
        for (i : 0 .. NT - 1) {
            place[i] = NONE;
            if
            :: PLACED & BIT(i) ->
                submitted = submitted | BIT(i);
                if
                :: j / NC < DEPTH ->
                    place[i] = j % NC;
                    pos_of[i] = j / NC;
                    j++;
                    turn[SLOT(place[i], pos_of[i])] = PUBLISHED;
                    task[SLOT(place[i], pos_of[i])] = i;
                    head[place[i]]++;
                    held[place[i]]++
                :: else -> backlog = backlog | BIT(i)
                fi;
                if
                :: CB & BIT(i) -> callbacks++
                :: else
                fi
            :: else
            fi
        }
        armed = WANTED;
        for (i : 0 .. NC - 1) { hbell[i] = armed }
        for (i : 0 .. NC - 1) { run Worker(i) }
        for (i : 0 .. NW - 1) { run Waiter(i) }
        i = 0; j = 0;
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
