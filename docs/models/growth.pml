/* growth.pml: the hash index doubles beside readers, writers of several keys, and a visit.
 *
 * Modelled: an old table of 2 buckets and a new one of 4; hashes 0, 1 (old bucket 0) and 2 (old bucket 1), each
 *   with an entry throughout. Writers lock two hashes in ascending order, leaving out what the last lock covers, and
 *   add 1 to both entries: to 0 and 1, or to 0 and 2. Movers claim old buckets, lock, copy, set `moved`; the one that
 *   moves the last swings the table and retires the old one. Everybody who finds `moved` goes to the new table.
 *   A reader looks at the three entries, then checks the three words. -DVISIT: a visit by a cursor instead; -DNOREAD:
 *   neither.
 * Left out: overflow buckets and tags; the epoch's own protocol (here: the old table is freed when all who were inside
 *   at its retirement have left); weak memory: steps are sequentially consistent.
 * Property: what is written is locked, no update is lost; a look sees what was acknowledged before it; three unchanged looks fit together; a visit
 *   meets every entry; the old table is not used after it is freed; no deadlock (invalid end state).
 * Run: spin -a growth.pml && gcc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan
 * Wrong on purpose: W_EARLY `moved` is set before the copies; W_NOLOCK the mover does not lock; W_BLIND a writer locks
 *   without regard to `moved`; W_STALE it loads `moved` before it locks, not with it; W_SWING the table swings when
 *   the last bucket is claimed, not moved; W_FREE the old table is freed at once; W_COVERS what a lock covers is told by
 *   the bucket numbers of the old table; W_ORDER one writer locks in descending order; W_NOCHECK the reader does not
 *   check the words; with VISIT: W_STRIDE the cursor steps by the present table's buckets, not by
 *   those of the table it read.
 */
#ifndef NW
#define NW 1                            /* writers */
#endif
#ifndef NOPS
#define NOPS 1                          /* updates of each */
#endif
#ifndef NM
#define NM 2                            /* movers */
#endif
#define LOCKED 1
#define MOVED  2
#define STEP   4
#define B(t, h) ((t) * 2 + ((h) >> (1 - (t))))   /* bucket's word: old 0, 1; new 2 .. 5 */
#define E(t, h) ((t) * 4 + (h))                  /* entry: old 0 .. 3; new 4 .. 7 */
#define USE(t) assert((t) == 1 || !freed)

byte word[6];                           /* {sequence, moved, locked} */
byte entry[8];                          /* 0 = empty */
bit  table;                             /* 0 = old is the present one */
byte claimed, moved;
byte inside, waited_for;                /* sets of processes: in a guard; at the retirement */
bit  retired, freed;
byte acknowledged;                      /* ghost: finished updates of hash 0 */
byte running;                           /* ghost: writers and movers */

#define ENTER(me) atomic { inside = inside | (1 << me) }
#define LEAVE(me) atomic { inside = inside & ~(1 << me); waited_for = waited_for & ~(1 << me) }

/* Waiting while the bucket is locked, and the load that ends it, are one step; so are the load and the CAS of a lock
 * that gets it: whoever fails has changed nothing and begins again. */
#define UNLOCKED(t, h) !(word[B(t, h)] & LOCKED)

inline look(t, h, w, v) {
  t = table;
  do
  :: atomic { UNLOCKED(t, h) -> USE(t); w = word[B(t, h)] }
     if
     :: w & MOVED -> t = 1
     :: !(w & MOVED) -> atomic { USE(t); v = entry[E(t, h)]; break }
     fi
  od
}

inline lock(t, h) {
  t = table;
#ifdef W_STALE
  if :: word[B(t, h)] & MOVED -> t = 1 :: !(word[B(t, h)] & MOVED) fi;
#endif
  do
  :: atomic {
       UNLOCKED(t, h) -> USE(t);
       if
#if !defined(W_BLIND) && !defined(W_STALE)
       :: word[B(t, h)] & MOVED -> t = 1
#endif
       :: else -> word[B(t, h)] = word[B(t, h)] | LOCKED; break
       fi
     }
  od
}

#define UNLOCK(t, h) atomic { USE(t); word[B(t, h)] = (word[B(t, h)] & ~LOCKED) + STEP }

proctype Writer(byte me) {
  bit t0, tx, covered;
  byte x, v, n;
  do
  :: n == NOPS -> break
  :: else ->
     if :: x = 1 :: x = 2 fi;
     ENTER(me);
#ifdef W_ORDER
     if
     :: me == 0 && x == 2 -> lock(tx, x); lock(t0, 0); covered = 0
     :: else ->
#endif
     lock(t0, 0);
#ifdef W_COVERS
     covered = (x >> 1) == 0;
#else
     covered = B(t0, x) == B(t0, 0);
#endif
     if
     :: covered -> tx = t0
     :: else -> lock(tx, x)
     fi;
#ifdef W_ORDER
     fi;
#endif
     atomic { assert(word[B(t0, 0)] & LOCKED && word[B(tx, x)] & LOCKED); v = entry[E(t0, 0)] }
     entry[E(t0, 0)] = v + 1;
     v = entry[E(tx, x)];
     entry[E(tx, x)] = v + 1;
     if
     :: covered
     :: else -> UNLOCK(tx, x)
     fi;
     UNLOCK(t0, 0);
     atomic { acknowledged++; n++; v = 0; x = 0; t0 = 0; tx = 0; covered = 0 }
     LEAVE(me)
  od;
  running--
}

proctype Mover(byte me) {
  byte b, h, v;
  bit last;
  do
  :: atomic { b = claimed; claimed++ }
     if :: b >= 2 -> break :: else fi;
     ENTER(me);
#ifdef W_SWING
     if :: b == 1 -> table = 1 :: else fi;
#endif
#ifndef W_NOLOCK
     atomic { UNLOCKED(0, 2 * b) -> word[b] = word[b] | LOCKED }
#endif
#ifdef W_EARLY
     word[b] = word[b] | MOVED;
     atomic { word[b] = (word[b] & ~LOCKED) + STEP }
#endif
     h = 2 * b;
     do
     :: h > 2 * b + 1 -> break
     :: else -> v = entry[h]; entry[4 + h] = v; h++
     od;
#ifndef W_EARLY
     atomic { USE(0); word[b] = ((word[b] & ~LOCKED) + STEP) | MOVED }
#endif
     atomic { moved++; last = moved == 2 }
     if
     :: last ->
        table = 1;
        atomic { waited_for = inside; retired = 1 }
     :: else
     fi;
     atomic { v = 0; h = 0; last = 0 }
     LEAVE(me)
  od;
  running--
}

proctype Freer() {
#ifdef W_FREE
end: retired -> freed = 1
#else
end: atomic { retired && waited_for == 0 -> freed = 1 }
#endif
}

proctype Reader(byte me) {
  bit t0, t1, t2;
  byte w0, w1, w2, v0, v1, v2, known;
  ENTER(me);
  known = acknowledged;
  look(t0, 0, w0, v0);
  look(t1, 1, w1, v1);
  look(t2, 2, w2, v2);
#ifdef W_NOCHECK
  goto unchanged;
#endif
  USE(t0); USE(t1); USE(t2);
  if :: word[B(t0, 0)] != w0 -> goto out :: word[B(t0, 0)] == w0 fi;
  if :: word[B(t1, 1)] != w1 -> goto out :: word[B(t1, 1)] == w1 fi;
  if :: word[B(t2, 2)] != w2 -> goto out :: word[B(t2, 2)] == w2 fi;
unchanged:
  assert(v0 >= 2 + known);
  assert(v1 >= 1 && v2 >= 1);
  assert(v0 == v1 + v2);
out:
  LEAVE(me)
}

proctype Visitor(byte me) {
  bit t;
  byte h, w, v, met, i;
  do
  :: h >= 4 -> break
  :: else ->
     ENTER(me);
     t = table;
     do
     :: atomic { UNLOCKED(t, h) -> USE(t); w = word[B(t, h)] }
        if
        :: w & MOVED -> t = 1
        :: !(w & MOVED) ->
           v = 0;                       /* the set of hashes met in this bucket */
           i = (t -> h : h & 2);
           do
           :: atomic { i < 4 && B(t, i) == B(t, h) ->
                USE(t);
                if :: entry[E(t, i)] != 0 -> v = v | (1 << i) :: else fi;
                i++ }
           :: atomic { i >= 4 || B(t, i) != B(t, h) -> break }
           od;
           if
           :: atomic { word[B(t, h)] == w -> USE(t); break }
           :: atomic { word[B(t, h)] != w -> i = 0 }
           fi
        fi
     od;
     atomic {
       met = met | v;
#ifdef W_STRIDE
       t = table;
#endif
       h = (t -> h + 1 : (h & 2) + 2);
       v = 0; w = 0; i = 0; t = 0
     }
     LEAVE(me)
  od;
  assert(met == 7)
}

init {
  byte i;
  atomic {
    entry[0] = 2; entry[1] = 1; entry[2] = 1;
    running = NW + NM;
    i = 0; do :: i < NW -> run Writer(i); i++ :: else -> break od;
    i = 0; do :: i < NM -> run Mover(NW + i); i++ :: else -> break od;
#ifdef VISIT
    run Visitor(NW + NM);
#elif !defined(NOREAD)
    run Reader(NW + NM);
#endif
    run Freer();
    i = 0
  }
  running == 0 ->                       /* no update was lost */
  assert(table == 1 && entry[4] == 2 + NW * NOPS);
  assert(entry[5] + entry[6] == entry[4])
}
