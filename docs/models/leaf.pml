/* leaf.pml: leaves of the ordered index are split, emptied and merged beside writers and a scan.
 *
 * Modelled: a root with one or two leaves of two keys at most; keys 0 .. 3, of which 0 and 2 are there. Two writers
 *   insert 1 and 3, one erases 2. Everybody goes down without a lock: version of the root, child, root again, version
 *   of the child, root again. An insertion into a full leaf splits it under the locks of root and leaf, taken at the
 *   versions noted; a leaf that would be empty is unlinked; one that has become sparse is merged with its neighbour.
 *   A scan copies a leaf, looks at its version, and goes on to the next child while the root is as it was; else down
 *   again from the last key it has. -DREVERSE: from the highest key down.
 * Left out: more than two levels; what stands in a node beside keys; memory of unlinked leaves (an epoch keeps it, see
 *   the design's models); a leaf's bytes are read in one step, so that the version behind it proves nothing here that
 *   the root's does not; weak memory: steps are sequentially consistent.
 * Property: no key is lost or comes back; a scan gives keys in order, none twice, all that are there throughout, and
 *   none that was erased before it; no deadlock (invalid end state).
 * Run: spin -a leaf.pml && gcc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan
 * Wrong on purpose: W_CHILD the root is not looked at again once the child's version is known; W_STALE a split locks
 *   the leaf at whatever version it has; W_EARLY it unlocks the root and the leaf before the leaf has given up what
 *   moved; W_NEXT a scan goes on to the next leaf without a look at the root; W_EXACT it begins again with its last key,
 *   not behind it. (That an unlinked leaf is marked is not needed here: who comes by the root sees that it changed.)
 */
#define LOCKED   1
#define OBSOLETE 2
#define STEP     4
#define ROOT     5
#define BIT(k)   (1 << (k))
#define COUNT(s) (((s) & 1) + ((s) >> 1 & 1) + ((s) >> 2 & 1) + ((s) >> 3 & 1))

byte word[6];                           /* of leaves 0 .. 4 and of the root */
byte keys[5];                           /* of a leaf: a set */
byte children = 1, child[2], separator; /* child[1] has the keys from the separator on */
byte taken = 1;                         /* leaves in use so far */
byte inserted;                          /* ghost: keys whose insertion was acknowledged */
bit  erasing, erased;                   /* ghost: of key 2 */
byte running = 3;

#define UNLOCK(n)    word[n] = (word[n] & ~LOCKED) + STEP
#define UNTOUCHED(n) word[n] = word[n] & ~LOCKED

inline stable(n, v) { atomic { !(word[n] & LOCKED) -> v = word[n] } }

/* Enters the child `at`; `good` says whether the root was unchanged. */
inline enter(at, pv, c, lv, good) {
  c = child[at];
  if
  :: word[ROOT] != pv -> good = 0
  :: word[ROOT] == pv ->
     stable(c, lv);
#ifdef W_CHILD
     good = 1
#else
     good = (word[ROOT] == pv)
#endif
  fi
}

inline find(k, pv, n, at, c, lv, content, good) {
  good = 0;
  do
  :: good -> break
  :: !good ->
     stable(ROOT, pv);
     n = children;
     at = (n == 2 && k >= separator);
     enter(at, pv, c, lv, good);
     if
     :: good -> content = keys[c]; good = (word[c] == lv && !(lv & OBSOLETE))
     :: !good
     fi
  od
}

/* Locks at a version, if the node still has it. */
inline try_lock(n, v, good) {
  atomic { good = (word[n] == v); if :: good -> word[n] = v | LOCKED :: else fi }
}

inline drop_child(at) {
  if :: at == 0 -> child[0] = child[1] :: else fi;
  children = 1
}

proctype Inserter(byte k) {
  byte pv, n, at, c, lv, content, right, first;
  bit good, room;
  do
  :: find(k, pv, n, at, c, lv, content, good);
     room = COUNT(content) < 2;
     if
     :: room ->
        try_lock(c, lv, good);
        if
        :: good -> keys[c] = content | BIT(k); UNLOCK(c); break
        :: !good
        fi
     :: !room ->
        try_lock(ROOT, pv, good);
        if
        :: good ->
#ifdef W_STALE
           atomic { !(word[c] & LOCKED) -> word[c] = word[c] | LOCKED }
#else
           try_lock(c, lv, good);
#endif
           if
           :: good ->
              assert(children == 1);
              atomic { right = taken; taken++; assert(right < 5) }
              first = (content & 1 -> 1 : 2);        /* the lower of its keys stays */
              if :: content & BIT(1) && first != BIT(1) -> separator = 1
                 :: !(content & BIT(1) && first != BIT(1)) && content & BIT(2) -> separator = 2
                 :: else -> separator = 3
              fi;
              child[1] = right;
              children = 2;
              keys[right] = content & ~first;
#ifdef W_EARLY
              UNLOCK(ROOT);
              UNLOCK(c);
              keys[c] = first
#else
              keys[c] = first;
              UNLOCK(c);
              UNLOCK(ROOT)
#endif
           :: !good -> UNTOUCHED(ROOT)
           fi
        :: !good
        fi
     fi
  od;
  atomic { inserted = inserted | BIT(k); running--; pv = 0; n = 0; at = 0; c = 0; lv = 0; content = 0 }
}

proctype Eraser() {
  byte pv, n, at, c, lv, content, left, right, lw;
  bit good, merged;
  erasing = 1;
  do
  :: find(2, pv, n, at, c, lv, content, good);
     assert(content & BIT(2));
     if
     :: content == BIT(2) ->                         /* unlink */
        try_lock(ROOT, pv, good);
        if
        :: good ->
           try_lock(c, lv, good);
           if
           :: good ->
              assert(children == 2);
              drop_child(at);
              word[c] = ((word[c] & ~LOCKED) + STEP) | OBSOLETE;
              UNLOCK(ROOT);
              break
           :: !good -> UNTOUCHED(ROOT)
           fi
        :: !good
        fi
     :: content != BIT(2) ->
        try_lock(c, lv, good);
        if
        :: good ->
           keys[c] = content & ~BIT(2);
           UNLOCK(c);
           if                                        /* merge, if the neighbour has room */
           :: n == 2 ->
              left = child[0]; right = child[1];
              good = (word[ROOT] == pv && COUNT(keys[left]) + COUNT(keys[right]) <= 2);
              if :: good -> try_lock(ROOT, pv, good) :: !good fi;
              if
              :: good ->
                 merged = 0;
                 atomic { good = !(word[left] & 3); if :: good -> word[left] = word[left] | LOCKED :: else fi }
                 if
                 :: good ->
                    atomic { good = !(word[right] & 3); if :: good -> word[right] = word[right] | LOCKED :: else fi }
                    if
                    :: good ->
                       merged = COUNT(keys[left]) + COUNT(keys[right]) <= 2;
                       if
                       :: merged ->
                          keys[left] = keys[left] | keys[right];
                          children = 1;
                          word[right] = ((word[right] & ~LOCKED) + STEP) | OBSOLETE
                       :: !merged -> UNTOUCHED(right)
                       fi
                    :: !good
                    fi;
                    if :: merged -> UNLOCK(left) :: !merged -> UNTOUCHED(left) fi
                 :: !good
                 fi;
                 if :: merged -> UNLOCK(ROOT) :: !merged -> UNTOUCHED(ROOT) fi
              :: !good
              fi
           :: n == 1
           fi;
           break
        :: !good
        fi
     fi
  od;
  atomic { erased = 1; running--; pv = 0; n = 0; at = 0; c = 0; lv = 0; content = 0; left = 0; right = 0 }
}

#ifdef REVERSE
#define ORDER(k)  (3 - (k))
#else
#define ORDER(k)  (k)
#endif

#ifdef W_EXACT
#define AGAIN <
#else
#define AGAIN <=
#endif

proctype Scanner() {
  byte pv, n, at, c, lv, content, got, last, known, i, k;
  bit good, first, begun, was_erased, ended;
  atomic { known = inserted | BIT(0); was_erased = erased }
  do
  :: ended -> break
  :: !ended ->
     k = (begun -> last : ORDER(0));
     find(k, pv, n, at, c, lv, content, good);
     first = 1;
     do
     :: content = keys[c];
        if :: word[c] != lv -> break :: word[c] == lv fi;
        atomic {
          i = 0;
          do
          :: i > 3 -> break
          :: else ->
             k = ORDER(i);
             if
             :: (content & BIT(k)) && !(first && begun && ORDER(k) AGAIN ORDER(last)) ->
                assert(!begun || ORDER(k) > ORDER(last));
                got = got | BIT(k); last = k; begun = 1
             :: else
             fi;
             i++
          od;
          first = 0; i = 0
        }
#ifndef W_NEXT
        if :: word[ROOT] != pv -> break :: word[ROOT] == pv fi;
#endif
        if
#ifdef REVERSE
        :: at == 0 -> ended = 1; break
        :: at > 0 -> at--
#else
        :: at + 1 >= n -> ended = 1; break
        :: at + 1 < n -> at++
#endif
        fi;
#ifdef W_NEXT
        c = child[at]; stable(c, lv)
#else
        enter(at, pv, c, lv, good);
        if :: !good -> break :: good fi
#endif
     od
  od;
  atomic {
    assert((got & known) == known);
    assert(erasing || got & BIT(2));
    assert(!(was_erased && got & BIT(2)))
  }
}

init {
  byte all;
  atomic {
    keys[0] = BIT(0) | BIT(2);
    run Inserter(1);
    run Inserter(3);
    run Eraser();
    run Scanner()
  }
  running == 0 ->
  atomic {
    all = keys[child[0]];
    assert(!(word[child[0]] & (LOCKED | OBSOLETE)));
    if
    :: children == 2 ->
       assert(!(word[child[1]] & (LOCKED | OBSOLETE)));
       assert((keys[child[0]] >> separator) == 0);
       assert((keys[child[1]] & (BIT(separator) - 1)) == 0);
       all = all | keys[child[1]]
    :: else
    fi;
    assert(all == (BIT(0) | BIT(1) | BIT(3)))
  }
}
