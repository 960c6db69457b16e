/* cold.pml: a read at a snapshot follows a chain from memory to the device while records are written, leave memory,
 * and compaction takes the log's beginning apart.
 *
 * Modelled: a log of addresses 1 .. 7, one segment each; a chain of two keys, X and Y, under one bucket's word, both
 *   written at version 1. A writer puts X twice, each time inside a guard: lock, version from the clock, room at the tail,
 *   the record, the index. Upkeep, one step at a time, lets the oldest record leave memory (wait until nobody fills
 *   it, write it, raise `head`, wait until nobody who saw the old one is inside, free it) or takes the oldest segment
 *   apart (its record is copied to the tail if it is the newest of its key, put aside if a snapshot needs it; then
 *   `begin` rises and the segment goes). A reader pins a version and looks: inside a guard down the chain through
 *   memory, then segment by segment outside of it; where one is gone, or lies below `begin` and that has risen since
 *   it began, it begins again. -DKEY=Y: it reads Y.
 * Left out: updates in place (they end where `read_only` is, before any of this); the word's waiting writers (growth.pml);
 *   the epoch's own protocol (here: waiting until all who were inside have left); several records in a segment.
 * Property: the read gives the key's value as of its version; no memory is read after it was freed or before it is
 *   filled, and none is freed twice; in the end both keys have their last values; no deadlock (invalid end state).
 * Run: spin -a cold.pml && gcc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan
 * Wrong on purpose: W_BEGIN a reader that comes to below `begin` takes the key for absent; W_OLD nothing is put aside;
 *   W_HEAD what is the newest is moved without a look whether the chain's head is still the same; W_FREE memory is
 *   freed at once; W_FILL what leaves memory is written without waiting for who fills it; W_FIRST `begin` rises before
 *   the record was moved; W_PIN whether a snapshot needs a record is asked before its successor is known; W_WORD the
 *   reader does not look at the bucket's word again.
 */
#define X 0
#define Y 1
#ifndef KEY
#define KEY X
#endif
#ifndef PUTS
#define PUTS 2
#endif
#define NA 8

bit  key[NA], filled[NA], in_memory[NA], on_disk[NA];
byte version[NA], prev[NA], value[NA];
byte first = 1, head = 1, tail = 3;     /* first: `begin` */
byte index = 2, sequence;
bit  locked;
byte clock = 2, pin;                    /* pin: 0 or the reader's version */
byte old_from[3], old_end[3], old_value[3], olds;
byte inside, waited_for;                /* sets: 1 writer, 2 reader, 4 compactor */
byte written[8];                        /* ghost: X's last value of each version */
byte running = 2;

#define ENTER(me) atomic { inside = inside | me }
#define LEAVE(me) atomic { inside = inside & ~me; waited_for = waited_for & ~me }
#define TURN()    waited_for = inside; waited_for == 0
#define READ(a)   assert(in_memory[a] && filled[a])

/* A record at the tail, under the lock, inside a guard. */
inline append(a, k, ver, val) {
  atomic { a = tail; tail++; assert(a < NA); in_memory[a] = 1 }
  atomic { key[a] = k; version[a] = ver; value[a] = val }
  atomic { prev[a] = index; filled[a] = 1 }
  index = a
}

inline unlock() { atomic { sequence++; locked = 0 } }

proctype Writer() {
  byte a, ver, n;
  do
  :: n == PUTS -> break
  :: n < PUTS ->
     ENTER(1);
     atomic { !locked -> locked = 1 }
     ver = clock;
     append(a, X, ver, n + 2);
     atomic { written[ver] = n + 2; sequence++; locked = 0 }
     LEAVE(1);
     atomic { n++; a = 0; ver = 0 }
  od;
  running--
}

/* Where the record at `a` stands: `newest`, or the version of the next newer one of its key in `end`. */
inline standing(a) {
  do
  :: ENTER(4);
     atomic { !locked -> seen = sequence; top = index }
     at = top; newest = 1; end = 0;
     do
     :: at == a -> break
     :: at != a && at >= head ->
        atomic {
          READ(at);
          if :: key[at] == key[a] -> newest = 0; end = version[at] :: else fi;
          at = prev[at]
        }
     :: at != a && at < head -> break
     od;
     LEAVE(4);
     if
     :: at != a ->                       /* cold: its segment lies above, and stays */
        atomic {
          do
          :: at == a -> break
          :: else ->
             assert(on_disk[at]);
             if :: key[at] == key[a] -> newest = 0; end = version[at] :: else fi;
             at = prev[at]
          od
        }
     :: at == a
     fi;
     if :: sequence == seen -> break :: sequence != seen fi
  od
}

inline put_aside(a) {
  atomic {
    if
#ifdef W_PIN
    :: key[a] == X && needed
#else
    :: key[a] == X && pin != 0 && version[a] <= pin && pin < end
#endif
       -> old_from[olds] = version[a]; old_end[olds] = end; old_value[olds] = value[a]; olds++
    :: else
    fi
  }
}

proctype Upkeep() {
  byte at, top, seen, end, moved, a, compactions, evictions;
  bit newest, needed;
  do
  :: evictions < 3 && head < tail ->      /* the oldest record leaves memory */
#ifndef W_FILL
     TURN();
#endif
     atomic { assert(filled[head]); on_disk[head] = 1 }
     a = head;
     head = a + 1;
#ifndef W_FREE
     TURN();
#endif
     in_memory[a] = 0;
     evictions++;
     a = 0
  :: compactions < 2 && first < tail - 1 ->
     a = first;
     TURN();                              /* frozen: nobody fills it any more */
#ifdef W_FIRST
     first = a + 1;
#endif
     do
     :: needed = (pin != 0 && version[a] <= pin);
        standing(a);
#ifdef W_PIN
        needed = needed && pin < end;
#endif
        if
        :: !newest ->
#ifndef W_OLD
           put_aside(a);
#endif
           break
        :: newest ->
           ENTER(4);
           atomic { !locked -> locked = 1 }
           if
#ifndef W_HEAD
           :: index != top -> locked = 0; LEAVE(4)
#endif
           :: else ->
              append(moved, key[a], version[a], value[a]);
              unlock();
              LEAVE(4);
              break
           fi
        fi
     od;
#ifndef W_FIRST
     first = a + 1;
#endif
     if
     :: head <= a ->                      /* it was in memory still */
        head = a + 1;
        TURN();
        in_memory[a] = 0
     :: head > a
     fi;
     on_disk[a] = 0;
     compactions++;
     atomic { a = 0; moved = 0; at = 0; top = 0; seen = 0; end = 0; newest = 0; needed = 0 }
  :: break
  od;
  running--
}

proctype Reader() {
  byte s, begun, at, seen, got, low, high, i, best;
  bit cold, found, there;
  atomic { s = clock; pin = s; clock++ }  /* see the design's model of snapshots */
again:
  ENTER(2);
  do
  :: begun = first;
     atomic { !locked -> seen = sequence; at = index }
     low = first;
     high = head;
     cold = 0; found = 0;
     do
     :: at < low || at == 0 -> at = 0; break
     :: at >= low && at < high -> cold = 1; break
     :: at >= low && at >= high ->
        atomic {
          READ(at);
          if
          :: key[at] == KEY && version[at] <= s -> got = value[at]; found = 1
          :: else -> at = prev[at]
          fi
        }
        if :: found -> break :: !found fi
     od;
#ifdef W_WORD
     break
#else
     if :: sequence == seen -> break :: sequence != seen fi
#endif
  od;
  LEAVE(2);
  do
  :: found || at == 0 -> break
  :: !found && at != 0 ->
     if
     :: at < first ->
#ifdef W_BEGIN
        at = 0
#else
        if :: first == begun -> at = 0 :: first != begun -> goto again fi
#endif
     :: at >= first ->
        atomic { there = on_disk[at]; if :: there -> found = (key[at] == KEY && version[at] <= s); got = value[at]
                                         :: else fi }
        if
        :: !there -> goto again
        :: there -> if :: !found -> at = prev[at] :: found fi
        fi
     fi
  od;
  if
  :: !found ->
     atomic {
       do
       :: i == olds -> break
       :: i < olds ->
          if :: KEY == X && old_from[i] <= s && s < old_end[i] -> got = old_value[i]; found = 1 :: else fi;
          i++
       od
     }
  :: found
  fi;
  atomic {
    assert(found);
    i = 0; best = 0;
    do
    :: i > s || i == 8 -> break
    :: else -> if :: written[i] != 0 -> best = written[i] :: else fi; i++
    od;
    assert(KEY == Y || got == best);
    assert(KEY == X || got == 9);
    pin = 0; s = 0; begun = 0; at = 0; seen = 0; got = 0; low = 0; high = 0; i = 0; best = 0
  }
}

init {
  byte at;
  bit x, y;
  atomic {
    key[1] = Y; version[1] = 1; value[1] = 9; filled[1] = 1; in_memory[1] = 1;
    key[2] = X; version[2] = 1; value[2] = 1; filled[2] = 1; in_memory[2] = 1; prev[2] = 1;
    written[1] = 1;
    run Writer(); run Upkeep(); run Reader()
  }
  running == 0 ->
  atomic {
    at = index;
    do
    :: at < first -> break
    :: else ->
       if :: key[at] == X && !x -> x = 1; assert(value[at] == PUTS + 1) :: else fi;
       if :: key[at] == Y && !y -> y = 1; assert(value[at] == 9) :: else fi;
       at = prev[at]
    od;
    assert(x && y)
  }
}
