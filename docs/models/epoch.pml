/* epoch.pml: memory is freed beside readers who enter an epoch with a plain store, since who frees it passes a fence
 * for all of them.
 *
 * Modelled: readers that enter twice each, use the object that is linked, and leave; the store of a slot waits in the
 *   reader's store buffer (two places, in order) until it is drained, which may happen at any time. A writer unlinks
 *   objects and retires them with a turn of the epoch; another process reclaims: it reads the epoch, drains all
 *   buffers (the heavy fence), reads the slots, and frees what was retired before all that it saw.
 * Left out: loads that are done early (the compiler is kept from it, and the heavy fence stops a processor's).
 * Property: no object is used after it was freed; no deadlock (invalid end state).
 * Run: spin -a epoch.pml && gcc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan
 * Wrong on purpose: W_FENCE there is no heavy fence; W_EARLY it comes before the epoch is read; W_NOW the epoch itself is
 *   not in the minimum; W_LATE an object is unlinked after its turn was taken.
 */
#ifndef NR
#define NR 2
#endif
#define NO 3                            /* objects: 0 is linked first */

byte epoch = 1, link;
byte slot[NR];                          /* as others see it; 0: outside */
byte buffer[NR * 2], waiting[NR];       /* stores that wait: 0, 1 or 2 of them */
byte turn[NO];                          /* of a retired object; 0: not retired */
bit  freed[NO];

inline store(me, v) {
  atomic { waiting[me] < 2 -> buffer[me * 2 + waiting[me]] = v; waiting[me]++ }
}
inline drain_one(r) {
  slot[r] = buffer[r * 2]; buffer[r * 2] = buffer[r * 2 + 1]; buffer[r * 2 + 1] = 0; waiting[r]--
}

proctype Drain(byte r) {
end:
  do
  :: atomic { waiting[r] > 0 -> drain_one(r) }
  od
}

proctype Reader(byte me) {
  byte n, now, again, object;
  do
  :: n == 2 -> break
  :: n < 2 ->
     now = epoch;
     do
     :: store(me, now);
        again = epoch;
        if :: again == now -> break :: again != now -> now = again fi
     od;
     object = link;
     assert(!freed[object]);
     assert(!freed[object]);            /* later, too */
     store(me, 0);
     n++;
     now = 0; again = 0; object = 0
  od
}

proctype Writer() {
  byte i, t;
  do
  :: i == NO - 1 -> break
  :: i < NO - 1 ->
#ifdef W_LATE
     atomic { t = epoch; epoch++ }
     link = i + 1;
#else
     link = i + 1;
     atomic { t = epoch; epoch++ }
#endif
     turn[i] = t;
     atomic { i++; t = 0 }
  od
}

inline fence() {
  atomic {
    r = 0;
    do
    :: r == NR -> break
    :: r < NR && waiting[r] > 0 -> drain_one(r)
    :: r < NR && waiting[r] == 0 -> r++
    od;
    r = 0
  }
}

proctype Reclaimer() {
  byte n, r, low, i;
  do
  :: n == 2 -> break
  :: n < 2 ->
#ifdef W_EARLY
     fence();
#endif
     low = epoch;
#ifdef W_NOW
     low = 255;
#endif
#if !defined(W_FENCE) && !defined(W_EARLY)
     fence();
#endif
     do
     :: r == NR -> break
     :: r < NR -> atomic { if :: slot[r] != 0 && slot[r] < low -> low = slot[r] :: else fi; r++ }
     od;
     r = 0;
     do
     :: i == NO -> break
     :: i < NO -> atomic { if :: turn[i] != 0 && turn[i] < low -> freed[i] = 1 :: else fi; i++ }
     od;
     atomic { i = 0; low = 0; n++ }
  od
}

init {
  byte i;
  atomic {
    do
    :: i == NR -> break
    :: i < NR -> run Reader(i); run Drain(i); i++
    od;
    run Writer();
    run Reclaimer()
  }
}
