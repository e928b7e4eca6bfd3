/*
 * From the works and the gate to the indexers: the fenced writer, its ledger, and publishing again.
 *
 * One partition of the products, one work in it, two processes of which one may be frozen and wake
 * up late. What other models have shown is taken for granted: the topic of works is in order and a
 * row of the read model never goes down (gate.als, projector.als), and a gate that is fresh holds
 * every decision that is due (`told_in_time` of gate.als). Of the product only the last record is
 * kept here: it is what compaction leaves of a key.
 */
module products

open flip
open util/ordering[Version] as version

one sig StaleRule, EveryTopic, Fence, FenceFirst, ReadBack, Comparison, Notice, Skip, NotOlder,
  TransfersToo, Look, Timeout, PublishFirst, RecordAfter extends Mechanism {}

sig Version {}
one sig Works {
  var logged: set Version,               // code: shared.events.deposits:WorkState
  var row: lone Version                  // code: services.distribution.store:Works
}
one sig Product {
  var work_version: lone Version,        // code: shared.events.distribution:OfferedWork.work_version
  var standing_of: set Decision          // code: shared.events.distribution:OfferedWork.standing
}
one sig Group { var committed: lone Version }  // code: shared.kafka.consume:Consumer._committed
var one sig Member in Writer {}          // code: shared.kafka.consume:Consumer._generation
var lone sig Epoch in Writer {}          // code: shared.kafka.produce:FencedSender._producer
-- Due for longer than a transaction may last. Whoever published by then must have obeyed.
var sig Past in Decision {}              // code: services.distribution.products.writer:TRANSACTION_MS
sig Writer {
  var known: set Decision,               // code: shared.kafka.knowledge:Knowledge._held
  var version_held: lone Version,        // code: services.distribution.products.ledger:Row.version
  var standing_held: set Decision,       // code: services.distribution.products.ledger:Row.standing
  var position: lone Version,            // code: shared.kafka.consume:Consumer._applied
  var candidate: lone Version,           // code: services.distribution.products.offers:Offer.candidate
  var offer: set Decision,               // code: services.distribution.products.offers:Offer.standing
  var begun: set Decision                // code: shared.kafka.produce:FencedSender.timeout_ms
}
var sig Ours in Writer {}                // code: services.distribution.products.role:Products._ours
var sig Sending in Writer {}             // code: services.distribution.products.writer:Writer._sender
var sig Halfway in Writer {}             // code: services.distribution.products.writer:Writer.take_over
var sig Marked in Writer {}              // code: services.distribution.products.emission:Emission.jobs
var sig Posted in Writer {}              // code: shared.kafka.produce:_post
var sig Looked in Writer {}              // code: services.distribution.products.writer:Writer._still

fun upto[v: Version]: set Version { v + v.prevs }
pred no_newer[a, b: lone Version] { a in upto[b] }

-- What does not move in a step.
pred world_rests { Decided' = Decided and logged' = logged and row' = row }
pred product_rests { work_version' = work_version and standing_of' = standing_of }
pred group_rests { Member' = Member and Ours' = Ours and committed' = committed }
pred places_rest { position' = position }
pred gate_rests { known' = known and Marked' = Marked }
pred ledger_rests { version_held' = version_held and standing_held' = standing_held }
pred hands_rest {
  candidate' = candidate and offer' = offer and begun' = begun
  Posted' = Posted and Looked' = Looked
}
pred senders_rest { Epoch' = Epoch and Sending' = Sending and Halfway' = Halfway }

pred drop[dropped: set Writer] {
  candidate' = candidate - dropped -> Version
  offer' = offer - dropped -> Decision
  begun' = begun - dropped -> Decision
  Posted' = Posted - dropped and Looked' = Looked - dropped
}
pred render[w: Writer, v: Version] {
  candidate' = candidate + w -> v and offer' = offer + w -> standing[w.known]
  begun' = begun and Posted' = Posted and Looked' = Looked
}
pred record[w: Writer, v: lone Version, under: set Decision] {
  version_held' = version_held - w -> Version + w -> v
  standing_held' = standing_held - w -> Decision + w -> under
}
pred move_to[w: Writer, v: lone Version] { position' = position - w -> Version + w -> v }

pred fresh[w: Writer] {                  // code: services.distribution.gate:Gate.fresh
  StaleRule in Config.off
  or covers[w.known, EveryTopic in Config.off implies Due & Choice else Due]
}
-- What is to be published again is a difference, not a list.
pred differs[known, under: set Decision] {
  TransfersToo in Config.off
    implies newest[{ c: known & Choice | c.key = (under & Transfer).owner }] != under & Choice
    else under != standing[known]
}

-- It runs, and nothing was decided yet beyond what everybody knows. A record may be on its way; two may
-- believe that the partition is theirs, and one of them not know that it was superseded.
pred init {
  Decided = earliest and Writer.known = Decided and known = Writer -> Decided
  no Due and no Past and no Marked and no Halfway
  Works.logged.prevs in Works.logged and Works.row + Product.work_version in Works.logged
  Product.standing_of = { d: standing[Decided] | some Product.work_version }
  Member in Ours and Sending in Ours and Epoch in Sending and (some Sending implies some Epoch)
  all w: Writer {
    no_newer[w.version_held, Product.work_version] and no_newer[w.position, Product.work_version]
    w.standing_held = { d: standing[Decided] | some w.version_held }
    w in Epoch implies w.version_held = Product.work_version
    some w.candidate implies w in Epoch and no_newer[w.version_held, w.candidate]
    w.candidate in Works.logged
    w.offer = { d: standing[Decided] | some w.candidate }
    w in Posted implies some w.candidate
  }
  no_newer[Group.committed, Product.work_version]
  Looked in Posted and no begun
}

pred update[d: Decision] {               // code: shared.mongo.aggregates:Aggregates.update
  decide[d] and logged' = logged and row' = row
  product_rests and group_rests and places_rest and gate_rests and ledger_rests
  hands_rest and senders_rest
}

pred publish {                           // code: shared.kafka.relay:Relay._publish
  some v: Version - Works.logged | v.prevs in Works.logged and logged' = logged + Works -> v
  Decided' = Decided and row' = row
  product_rests and group_rests and places_rest and gate_rests and ledger_rests
  hands_rest and senders_rest
}

pred apply_writes {                      // code: shared.mongo.guarded:apply_writes
  some v: Works.logged - upto[Works.row] | row' = Works -> v
  Decided' = Decided and logged' = logged
  product_rests and group_rests and places_rest and gate_rests and ledger_rests
  hands_rest and senders_rest
}

-- The gate of a process learns a decision; its owner of the partition looks through what it touched.
pred learn[w: Writer, d: Decision] {     // code: services.distribution.products.role:Products._learn
  d in Decided and not covers[w.known, d]
  known' = known - w -> Decision + w -> newest[w.known + d]
  Marked' = Marked + { x: w & Ours | TransfersToo in Config.off implies d in Choice }
  world_rests and product_rests and group_rests and places_rest and ledger_rests
  hands_rest and senders_rest
}

-- The group gives the partition to `w`. The other one hears of it later (`revoked`). What `w` held
-- from an earlier time it still holds; what is due is found anew.
pred holds[w: Writer] {                  // code: services.distribution.products.role:Products.holds
  Member' = w and Ours' = Ours + w and committed' = committed
  move_to[w, Group.committed]
  Marked' = Marked - w + { x: w | differs[w.known, w.standing_held] and some w.version_held }
  drop[w] and senders_rest and known' = known
  world_rests and product_rests and ledger_rests
}

pred revoked[w: Writer] {                // code: shared.kafka.consume:Consumer._revoked
  w in Ours - Member and no w.candidate
  Ours' = Ours - w and Member' = Member and committed' = committed
  world_rests and product_rests and places_rest and gate_rests and ledger_rests
  hands_rest and senders_rest
}

-- First the fence, which aborts what a predecessor left open ...
pred take_over[w: Writer] {   // code: services.distribution.products.writer:Writer.take_over
  w in Ours - Sending
  FenceFirst in Config.off iff w in Halfway
  Epoch' = w
  let voided = { x: Posted | Fence not in Config.off } {
    drop[voided]
    FenceFirst in Config.off
      implies (Sending' = Sending - voided + w and Halfway' = Halfway - w)
      else (Sending' = Sending - voided and Halfway' = Halfway + w)
  }
  world_rests and product_rests and group_rests and places_rest and gate_rests and ledger_rests
}

-- ... then the topic itself says what was published, and that is compared with the gate.
pred read_back[w: Writer] {   // code: services.distribution.products.writer:Writer._read_back
  Epoch' = Epoch
  FenceFirst in Config.off
    implies (w in Ours - Sending - Halfway and Halfway' = Halfway + w and Sending' = Sending)
    else (w in Halfway and Halfway' = Halfway - w and Sending' = Sending + w)
  ReadBack in Config.off implies ledger_rests
    else record[w, Product.work_version, Product.standing_of]
  Marked' = Marked + { x: w | compare[x] }
  known' = known and world_rests and product_rests and group_rests and places_rest and hands_rest
}
pred compare[w: Writer] {     // code: services.distribution.products.emission:Emission.compare
  Comparison not in Config.off
  some w.version_held' and differs[w.known, w.standing_held']
}

fun following[w: Writer]: set Version {
  let ahead = Works.logged - upto[w.position] | ahead - ahead.nexts
}
pred live[w: Writer] {        // code: services.distribution.products.writer:Writer.live
  w in Ours & Sending and no w.candidate
  some v: following[w] {
    Skip not in Config.off and no_newer[v, w.version_held]
      implies (move_to[w, v] and hands_rest)
      else (fresh[w] and render[w, v]
        and (PublishFirst in Config.off implies move_to[w, v] else places_rest))
  }
  world_rests and product_rests and group_rests and gate_rests and ledger_rests and senders_rest
}

pred again[w: Writer] {       // code: services.distribution.products.writer:Writer.again
  w in Ours & Sending & Marked and no w.candidate and fresh[w]
  some w.version_held and differs[w.known, w.standing_held]
  some Works.row and (NotOlder in Config.off or no_newer[w.version_held, Works.row])
  render[w, Works.row]
  world_rests and product_rests and group_rests and places_rest and gate_rests and ledger_rests
  senders_rest
}

-- All was looked through, and nothing is left.
pred finish[w: Writer] {      // code: services.distribution.products.emission:Emission._finish
  w in Ours & Marked and no w.candidate
  some w.version_held implies not differs[w.known, w.standing_held]
  Marked' = Marked - w and known' = known
  world_rests and product_rests and group_rests and places_rest and ledger_rests
  hands_rest and senders_rest
}

-- The transaction begins, at the broker.
pred post[w: Writer] {                   // code: shared.kafka.produce:_post
  some w.candidate and w in Sending - Posted
  w = Epoch or Fence in Config.off
  Posted' = Posted + w and begun' = begun + w -> Due
  Looked' = Looked and candidate' = candidate and offer' = offer
  RecordAfter in Config.off implies record[w, w.candidate, w.offer] else ledger_rests
  world_rests and product_rests and group_rests and places_rest and gate_rests and senders_rest
}

pred still[w: Writer] {       // code: services.distribution.products.writer:Writer._still
  w in Posted - Looked and fresh[w] and w.offer = standing[w.known]
  Looked' = Looked + w
  Posted' = Posted and candidate' = candidate and offer' = offer and begun' = begun
  world_rests and product_rests and group_rests and places_rest and gate_rests and ledger_rests
  senders_rest
}

pred outdated[w: Writer] {               // code: shared.runtime.faults:Outdated
  w in Posted - Looked
  drop[w]
  world_rests and product_rests and group_rests and places_rest and gate_rests and ledger_rests
  senders_rest
}

pred committed_by[w: Writer] {
  w in Posted and (w in Looked or Look in Config.off)
  work_version' = Product -> w.candidate and standing_of' = Product -> w.offer
}
-- Committed, and the ledger is told.
pred fold[w: Writer] {        // code: services.distribution.products.ledger:Ledger.fold
  committed_by[w]
  record[w, w.candidate, w.offer]
  w.candidate in following[w] implies move_to[w, w.candidate] else places_rest
  drop[w]
  world_rests and group_rests and gate_rests and senders_rest
}
-- Superseded, timed out or cut off: it may be committed or not, and the writer does not know. One
-- that was superseded must find out even when it has nothing to send.
pred let_go[w: Writer] {      // code: services.distribution.products.writer:Writer.let_go
  w in Sending and (some w.candidate or w not in Epoch) and (committed_by[w] or product_rests)
  drop[w]
  Sending' = Sending - w and Epoch' = Epoch and Halfway' = Halfway
  world_rests and group_rests and places_rest and gate_rests and ledger_rests
}

pred commit[w: Writer] {                 // code: shared.kafka.consume:Consumer._commit
  w = Member and w in Ours
  committed' = Group -> w.position and Member' = Member and Ours' = Ours
  world_rests and product_rests and places_rest and gate_rests and ledger_rests
  hands_rest and senders_rest
}

pred rest {
  world_rests and product_rests and group_rests and places_rest and gate_rests and ledger_rests
  hands_rest and senders_rest
}

pred trans {
  publish or apply_writes or rest or (some d: Decision | update[d]) or
  some w: Writer |
    (some d: Decision | learn[w, d]) or holds[w] or revoked[w] or take_over[w] or read_back[w]
    or live[w] or again[w] or finish[w] or post[w] or still[w] or outdated[w] or fold[w]
    or let_go[w] or commit[w]
}
-- The broker ends a transaction when its time is over: none that is open is older.
pred ageing {
  time_passes and Past in Past' and Past' in Due'
  Timeout in Config.off or all w: Posted & Posted' | Past' in w.begun'
}
fact { always (trans and ageing) }

-- L3: what an outlet shows ...
pred served { all w: Writer | fresh[w] and shows[standing[w.known]] implies may_show[Due] }
-- ... what is published anew ...
pred published {
  (work_version' != work_version or standing_of' != standing_of) and shows[Product.standing_of']
    implies may_show[Past]
}
-- ... and what is left when the owner has nothing to do any more.
pred settled[w: Writer] {
  w = Member and w in Ours & Sending - Marked and no candidate
  w = Epoch or Notice in Config.off
  covers[w.known, Decided]
}
pred gone { some Member & { w: Writer | settled[w] } and shows[Product.standing_of] implies may_show[Decided] }
-- L2: a version never goes down, and what the group committed was published.
pred never_down { no_newer[Product.work_version, Product.work_version'] }
pred folded { no_newer[Group.committed, Product.work_version] }

pred invariant {
  earliest in Decided and Due in Decided and Past in Due
  Works.logged.prevs in Works.logged and Works.row + Product.work_version in Works.logged
  Product.standing_of in Decided and (no Product.work_version implies no Product.standing_of)
  Posted in Epoch & Sending and Looked in Posted and no Halfway & Sending
  all w: Writer {
    w.known in Decided and w.known = newest[w.known] and w.known.key = Decision.key
    no_newer[w.version_held, Product.work_version] and no_newer[w.position, Product.work_version]
    no w.version_held implies no w.standing_held
    -- What the epoch's writer holds is exact: it alone publishes, and it read back before.
    w in Epoch & Sending implies
      w.version_held = Product.work_version and w.standing_held = Product.standing_of
    some w.candidate implies w in Sending and w.candidate in Works.logged
    some w.candidate implies no_newer[w.version_held, w.candidate]
    no w.candidate implies no w.offer and w not in Posted
    w.offer in Decided
    -- What is not marked is as the gate says, what is in hand included.
    w in Ours & Sending - Marked and some w.version_held implies
      w.standing_held = standing[w.known]
    w in Ours - Marked and some w.candidate implies w.offer = standing[w.known]
    -- A transaction obeys all that was due when it began, and is not older than it may be.
    w in Posted implies Past in w.begun and w.begun in Due else no w.begun
    w in Looked implies no d: w.offer | superseded[d, w.begun]
    shows[w.offer] implies some t: w.offer & Transfer, c: w.offer & Open | c.key = t.owner
  }
  folded
}
check begins { init and honest implies invariant }
  for 4 but 2 Writer, 2 Prefix, exactly 1 Title, 3 Version, 1..1 steps
check goes_on { invariant and honest implies after invariant }
  for 5 but 2 Writer, 2 Prefix, exactly 1 Title, 2 Version, 2..2 steps
check means { invariant and honest implies served and published and gone and never_down }
  for 4 but 2 Writer, 2 Prefix, exactly 1 Title, 3 Version, 2..2 steps

-- From wherever it is, an owner that is left alone gets done: it never waits for nothing, and does
-- not go round in circles; one of more than eight states would not be found here. What it waits for
-- is the read model, which is as new as the topic here.
pred working[w: Writer] {
  (some d: Decision | learn[w, d]) or take_over[w] or read_back[w] or live[w] or again[w]
  or finish[w] or post[w] or still[w] or fold[w]
  or (w in Sending - Epoch and let_go[w])
  or (outdated[w] and not (fresh[w] and w.offer = standing[w.known]))
}
pred at_work[w: Writer] {
  some w.candidate + following[w] + (w & Marked) + (w & Halfway) or w not in Epoch & Sending
  or not covers[w.known, Decided]
}
pred left_alone {
  Member in Ours and no (Writer - Member).candidate and Works.logged in upto[Works.row]
  always (world_rests and group_rests and (at_work[Member] implies working[Member] else rest))
}
check settles { invariant and honest and left_alone implies eventually settled[Member] }
  for 3 but 2 Writer, exactly 2 Choice, exactly 1 Transfer, exactly 1 Prefix, exactly 1 Title,
  1 Version, 8..8 steps
run a_flip_leaves_the_product {
  init and honest and shows[Product.standing_of]
  eventually (settled[Member] and Past = Decision and not shows[Product.standing_of])
} for 3 but 2 Writer, exactly 2 Choice, exactly 1 Transfer, exactly 1 Prefix, exactly 1 Title,
  1 Version, 8..8 steps
run a_frozen_writer_is_superseded {
  init and honest and Posted != Member and some Posted
  eventually (settled[Member] and some Product.work_version)
} for 3 but 2 Writer, exactly 2 Choice, exactly 1 Transfer, exactly 1 Prefix, exactly 1 Title,
  1 Version, 8..8 steps

-- Without any one of them a law breaks.
check broken_StaleRule { init and without[StaleRule] implies always served }
  for 3 but 2 Writer, exactly 2 Choice, exactly 1 Transfer, exactly 1 Prefix, exactly 1 Title,
  1 Version, 2..2 steps
check broken_EveryTopic { init and without[EveryTopic] implies always served }
  for 3 but 2 Writer, 4 Decision, exactly 2 Choice, exactly 2 Transfer, exactly 2 Prefix, exactly 1 Title,
  1 Version, 2..2 steps
check broken_Fence { init and without[Fence] implies always gone }
  for 3 but 2 Writer, exactly 2 Choice, exactly 1 Transfer, exactly 1 Prefix, exactly 1 Title,
  1 Version, 7..7 steps
check broken_FenceFirst { init and without[FenceFirst] implies always gone }
  for 3 but 2 Writer, exactly 2 Choice, exactly 1 Transfer, exactly 1 Prefix, exactly 1 Title,
  1 Version, 7..7 steps
check broken_ReadBack { init and without[ReadBack] implies always never_down }
  for 3 but 2 Writer, exactly 2 Choice, exactly 1 Transfer, exactly 1 Prefix, exactly 1 Title,
  2 Version, 7..7 steps
check broken_Comparison { init and without[Comparison] implies always gone }
  for 3 but 2 Writer, exactly 2 Choice, exactly 1 Transfer, exactly 1 Prefix, exactly 1 Title,
  1 Version, 6..6 steps
check broken_Notice { init and without[Notice] implies always gone }
  for 3 but 2 Writer, exactly 2 Choice, exactly 1 Transfer, exactly 1 Prefix, exactly 1 Title,
  1 Version, 4..4 steps
check broken_Skip { init and without[Skip] implies always never_down }
  for 3 but 2 Writer, exactly 2 Choice, exactly 1 Transfer, exactly 1 Prefix, exactly 1 Title,
  2 Version, 5..5 steps
check broken_NotOlder { init and without[NotOlder] implies always never_down }
  for 3 but 2 Writer, exactly 2 Choice, exactly 1 Transfer, exactly 1 Prefix, exactly 1 Title,
  2 Version, 7..7 steps
check broken_TransfersToo { init and without[TransfersToo] implies always gone }
  for 3 but 2 Writer, 4 Decision, exactly 2 Choice, exactly 2 Transfer, exactly 2 Prefix, exactly 1 Title,
  1 Version, 3..3 steps
check broken_Look { init and without[Look] implies always published }
  for 3 but 2 Writer, exactly 2 Choice, exactly 1 Transfer, exactly 1 Prefix, exactly 1 Title,
  1 Version, 4..4 steps
check broken_Timeout { init and without[Timeout] implies always published }
  for 3 but 2 Writer, exactly 2 Choice, exactly 1 Transfer, exactly 1 Prefix, exactly 1 Title,
  1 Version, 3..3 steps
check broken_PublishFirst { init and without[PublishFirst] implies always folded }
  for 3 but 2 Writer, exactly 2 Choice, exactly 1 Transfer, exactly 1 Prefix, exactly 1 Title,
  2 Version, 3..3 steps
check broken_RecordAfter { init and without[RecordAfter] implies always folded }
  for 3 but 2 Writer, exactly 2 Choice, exactly 1 Transfer, exactly 1 Prefix, exactly 1 Title,
  2 Version, 5..5 steps
