/*
 * From a decision to a reader: outbox, fenced relay, watermarks, compaction, gate.
 *
 * One partition of one gate topic. A reader is as fresh as its oldest partition, so what holds for
 * one holds for all; products.als takes `told_in_time` for granted, for prefixes and titles alike.
 */
module gate

open flip
open util/ordering[Slot] as offset

one sig OneDocument, Fence, ReadFirst, WholeOutbox, StaleRule, CompactionLag extends Mechanism {}

-- A slot is one transaction of the topic: records in order of their versions, or a watermark.
sig Slot {
  var records: set Decision,             // code: shared.events.records:to_record
  var watermark: set Decision            // code: shared.events.records:watermark
}
var sig Written in Slot {}               // code: shared.kafka.follow:Batch.positions
var sig Old in Slot {}                   // code: shared.kafka.knowledge:Mark.came
var sig Outbox in Decision {}            // code: shared.mongo.outbox:Outbox
-- Two of them, for one may be frozen at any point and wake up when the other has taken its place.
sig Relay {
  var pending: set Decision,             // code: shared.kafka.relay:Page.pending
  var read_at: set Decision,             // code: shared.kafka.relay:Page.read_at
  var clear_since: set Decision          // code: shared.kafka.relay:Source.clear_since
}
var sig Sent in Relay {}                 // code: shared.kafka.relay:Relay._publish
var one sig Epoch in Relay {}            // code: shared.kafka.produce:FencedSender._producer
one sig Knowledge {
  var held: set Decision,                // code: shared.kafka.knowledge:Knowledge._held
  var mark: lone Slot                    // code: shared.kafka.knowledge:Knowledge._marks
}
var sig Taken in Slot {}                 // code: shared.kafka.knowledge:Knowledge._positions

fun log: set Decision { Slot.records }
fun next_slot: set Slot { { s: Slot - Written | s.prevs in Written } }
fun marking: set Slot { { s: Slot | some s.watermark } }

-- What does not move in a step.
pred store_rests { Decided' = Decided and Outbox' = Outbox }
pred relays_rest {
  pending' = pending and read_at' = read_at and clear_since' = clear_since
  Sent' = Sent and Epoch' = Epoch
}
pred log_rests { records' = records and watermark' = watermark and Written' = Written }
pred reader_rests { held' = held and mark' = mark and Taken' = Taken }

-- It runs: some is published, some waits; a relay may have read it, or found the outbox clear before;
-- the reader has read what was published, or an older version that was compacted since.
pred init {
  earliest in Decided and all d: Decided | no e: Decision - Decided | e.key = d.key and lt[e, d]
  Outbox in Decided and all d: Outbox, e: Decided | e.key = d.key and lt[d, e] implies e in Outbox
  Written = { s: offset/first | some Decided - Outbox }
  records = Written -> newest[Decided - Outbox]
  all r: Relay {
    no r.pending + r.read_at or (r.pending = Outbox and r.read_at = Decided)
    no r.clear_since or r.clear_since = Decided - Outbox
  }
  Knowledge.held in Decided - Outbox and Knowledge.held = newest[Knowledge.held]
  Taken in Written and (some Taken implies Knowledge.held = Taken.records)
  no Due and no Old and no watermark and no mark and no Sent
}

-- State and outbox entry are one document, so one write.
pred update[d: Decision] {               // code: shared.mongo.aggregates:Aggregates.update
  decide[d]
  OneDocument in Config.off implies Outbox' in Outbox + d and Outbox in Outbox'
    else Outbox' = Outbox + d
  relays_rest and log_rests and reader_rests
}

-- Whoever starts under the transactional id supersedes the other, at the broker. It may be the
-- same one again, after a fault, or after a crash that forgot when the outbox was clear.
pred start[r: Relay] {                   // code: shared.kafka.produce:FencedSender.start
  Epoch' = r and Sent' = Sent - r
  pending' = pending - r -> Decision
  read_at' = read_at - r -> Decision
  clear_since' = clear_since or clear_since' = clear_since - r -> Decision
  store_rests and log_rests and reader_rests
}

-- A page that is full holds all that waits of some keys, and clears nothing.
pred read[r: Relay] {                    // code: shared.kafka.relay:Relay._read
  no r.pending and r not in Sent
  let page = r.pending', left = Outbox - page {
    page in Outbox and no page.key & left.key and (some left implies some page)
    pending' = pending + r -> page
    read_at' = read_at - r -> Decision + r -> { d: Decided | no left or WholeOutbox in Config.off }
  }
  clear_since' = clear_since and Sent' = Sent and Epoch' = Epoch
  store_rests and log_rests and reader_rests
}

pred send[r: Relay] {                    // code: shared.kafka.produce:FencedSender.send
  r = Epoch or Fence in Config.off
  some r.pending and r not in Sent and some next_slot
  Written' = Written + next_slot
  records' = records + next_slot -> r.pending
  Sent' = Sent + r
  watermark' = watermark and pending' = pending and read_at' = read_at
  clear_since' = clear_since and Epoch' = Epoch
  store_rests and reader_rests
}

pred take_out[r: Relay] {                // code: shared.mongo.outbox:Outbox.take_out
  some r.pending + r.read_at and (some r.pending implies r in Sent)
  Outbox' = Outbox - r.pending and Decided' = Decided
  clear_since' = (some r.read_at implies clear_since - r -> Decision + r -> r.read_at
    else clear_since)
  pending' = pending - r -> Decision
  read_at' = read_at - r -> Decision
  Sent' = Sent - r and Epoch' = Epoch
  log_rests and reader_rests
}

-- A watermark says when the outbox was read, not when it is written.
pred mark_[r: Relay] {                   // code: shared.kafka.relay:Relay._mark
  r = Epoch or Fence in Config.off
  some next_slot
  let clear = (ReadFirst in Config.off implies Decided else r.clear_since) {
    some clear
    watermark' = watermark + next_slot -> clear
  }
  Written' = Written + next_slot and records' = records
  store_rests and relays_rest and reader_rests
}

-- A batch: each key's newest version stays, and of the watermarks the last one.
pred take {                              // code: shared.kafka.knowledge:Knowledge.take
  Taken in Taken' and Taken' != Taken and Taken' in Written and Taken'.prevs in Taken'
  let fresh_ones = Taken' - Taken, marks = fresh_ones & marking {
    held' = Knowledge -> newest[Knowledge.held + fresh_ones.records]
    mark' = (some marks implies Knowledge -> (marks - marks.prevs) else mark)
  }
  store_rests and relays_rest and log_rests
}

-- A reader begins anew, from the start of what compaction left.
pred follow {                            // code: shared.kafka.follow:follow
  no held' and no mark' and no Taken'
  store_rests and relays_rest and log_rests
}

-- The broker cleans the slots up to `cleaned`: a record goes if a later one of its key stands up
-- to `looked_at`. Only what is older than the stale bound is looked at.
pred compact[cleaned, looked_at: Slot] { // code: deploy/topics.toml:profiles.gate.config
  looked_at in Written and cleaned in looked_at + looked_at.prevs
  looked_at in Old or CompactionLag in Config.off
  records' = records - { s: cleaned + cleaned.prevs, d: s.records |
    d.key in (s.nexts & (looked_at + looked_at.prevs)).records.key or superseded[d, s.records] }
  watermark' = watermark and Written' = Written
  store_rests and relays_rest and reader_rests
}

pred rest { store_rests and relays_rest and log_rests and reader_rests }

pred trans {
  (some d: Decision | update[d])
  or (some r: Relay | start[r] or read[r] or send[r] or take_out[r] or mark_[r])
  or take or follow or (some cleaned, looked_at: Slot | compact[cleaned, looked_at]) or rest
}
-- What is written grows old in order, and all that it tells of was decided before it was written.
pred ageing {
  time_passes
  Old in Old' and Old' in Written' and Old'.prevs in Old'
  Old'.(records' + watermark') in Due'
}
fact { always (trans and ageing) }

pred fresh {                             // code: shared.kafka.knowledge:Knowledge.fresh
  StaleRule in Config.off or (some Knowledge.mark - Old and Due in Knowledge.mark.watermark)
}

-- L3, for a reader of one prefix, and what the gate promises to whoever asks it.
pred L3 {
  fresh and some Knowledge.held & Open implies
    some c: Decided & Open | not superseded[c, Due]
}
pred told_in_time { fresh implies covers[Knowledge.held, Due] }
-- L2: the last word on a key is its newest, in the compacted log too.
pred L2 {
  all s: Slot, d: s.records, t: s.nexts, e: newest[t.records] | e.key = d.key implies lte[d, e]
}

-- Why it holds. `begins` and `goes_on` show that these are true in every state that can be reached,
-- after however many steps; `means` that the laws follow from them.
pred invariant {
  Due + Outbox + log + Slot.watermark in Decided
  Relay.(pending + read_at + clear_since) in Decided
  Written.prevs in Written and no (Slot - Written).(records + watermark)
  Old in Written and Old.prevs in Old and Old.(records + watermark) in Due
  -- What is not waiting is in the log: an acknowledged choice is in force.
  covers[log, Decided - Outbox]
  all d: Outbox, e: Decided | e.key = d.key and lt[d, e] implies e in Outbox
  all r: Relay {
    covers[log, r.read_at - r.pending] and covers[log, r.clear_since]
    r in Sent implies covers[log, r.pending]
    some r.read_at implies r.pending in r.read_at
    all d: r.pending, e: Outbox | e.key = d.key and lt[e, d] implies e in r.pending
  }
  -- Whoever may send holds nothing older than what was sent; the others may.
  Epoch not in Sent implies
    all d: Epoch.pending, e: log | e.key = d.key and lt[d, e] implies e in Epoch.pending
  -- A watermark that is not too old tells the truth of what stands before it.
  all s: Slot - Old | covers[(s + s.prevs).records, s.watermark]
  Taken in Written and Taken.prevs in Taken and Knowledge.mark in Taken & marking
  Knowledge.held in Decided and Knowledge.held = newest[Knowledge.held]
  covers[Knowledge.held, Taken.records]
  L2
}
check begins { init and honest implies invariant }
  for 4 but 2 Relay, 2 Prefix, 0 Title, 1..1 steps
check goes_on { invariant and honest implies after invariant }
  for 4 but 2 Relay, 2 Prefix, 0 Title, 2..2 steps
check means { invariant and honest implies L3 and told_in_time }
  for 4 but 2 Relay, 2 Prefix, 0 Title, 1..1 steps

-- Without any one of them a law breaks.
check broken_OneDocument { init and without[OneDocument] implies always L3 }
  for 3 but 2 Decision, 1 Relay, 1 Prefix, 0 Title, 6..6 steps
check broken_Fence { init and without[Fence] implies always L2 }
  for 2 but 2 Decision, 2 Relay, 1 Prefix, 0 Title, 5..5 steps
check broken_Fence_shown { init and without[Fence] implies always L3 }
  for 3 but 2 Decision, 2 Relay, 1 Prefix, 0 Title, 9..9 steps
check broken_ReadFirst { init and without[ReadFirst] implies always L3 }
  for 2 but 2 Decision, 1 Relay, 1 Prefix, 0 Title, 3..3 steps
check broken_WholeOutbox { init and without[WholeOutbox] implies always L3 }
  for 3 but 4 Decision, 1 Relay, 2 Prefix, 0 Title, 6..6 steps
check broken_StaleRule { init and without[StaleRule] implies always L3 }
  for 2 but 2 Decision, 1 Relay, 1 Prefix, 0 Title, 2..2 steps
check broken_CompactionLag { init and without[CompactionLag] implies always L3 }
  for 3 but 3 Decision, 1 Relay, 1 Prefix, 0 Title, 5..5 steps

-- It does happen: a prefix closes, its reader learns it in time, and compaction removes the old.
run a_flip_is_obeyed {
  init and honest and some Knowledge.held & Open and Decided in Open
  eventually (fresh and Decided in Due and no Knowledge.held & Open and no log & Open)
} for 4 but 2 Decision, 1 Relay, 1 Prefix, 0 Title, 10..10 steps
