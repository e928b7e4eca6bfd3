/*
 * The life of keys: provisioned, remembered and used under a lease, fenced, destroyed, restored.
 *
 * One key document: one person in one retention class. Rings are processes that seal and read; each
 * may be frozen with a key in hand, and die. Clerks are retention: each may be frozen between the
 * time it took and its write. Of flip.als only the mechanisms are used here.
 *
 * Time. There is no clock, only what a clock tells apart here: whether `usable` and `skew` have
 * passed since something. `Over` are the asks for a key since whose beginning they have. A moment
 * is kept as the asks that had begun by then: it is `past` only if all of these are over. A key is
 * refused then and sometimes earlier, and retention destroys then and sometimes later: the model
 * shows no less than the code.
 *
 * Events that evict come late, twice or never, so a ring may forget at any time (`evict`), and need
 * not. Nor does it look whether an event came while it read the document, or whether it knows of
 * fences up to now: no law here rests on either.
 */
module keys

open flip

one sig OneDocument, Lease, Confirm, ReadFirst, Wait, OwnFence, Hold, Tombstone, Rotation,
  Reapply extends Mechanism {}

abstract sig Fence {}
one sig Active, Restricted, Fenced, Destroyed extends Fence {}
abstract sig Target {}
one sig Whole extends Target {}
sig Unit extends Target {}
sig DataKey { unit: one Unit }           // random bytes: no two are the same
sig Case {}

-- The key document, and an older copy of it.
abstract sig Kept {
  var fence: lone Fence,                 // code: shared.privacy.lifecycle:KeptKeys.fence
  var units: set DataKey,                // code: shared.privacy.lifecycle:KeptKeys.units
  var holds: set Case,                   // code: shared.privacy.lifecycle:KeptKeys.holds
  var gone: set Unit,                    // code: shared.privacy.lifecycle:KeptKeys.gone
  var destroyed: set Unit,               // code: shared.events.retention:FencedUnit.destroyed_at
  var fenced_at: Target -> Ask,          // code: shared.privacy.lifecycle:KeptKeys.fenced_at
  var seen: set Target,                  // code: shared.privacy.lifecycle:KeptKeys.confirmed
  var confirmed: Target -> Ask           // code: shared.privacy.lifecycle:KeptKeys.confirmed
}
one sig Document, Copy extends Kept {}
var sig Dead in DataKey {}               // code: shared.privacy.epochs:KeyProvider.kek
-- What was destroyed once. Nobody keeps this; the laws speak of it.
var sig Erased in Unit {}                // code: shared.privacy.keyring:Erased

sig Clerk { var at: set Ask }            // code: services.retention.commands:Keys.clock
var sig Timed in Clerk {}                // code: services.retention.commands:Keys.documents

sig Ring { var held: set Ask }           // code: shared.privacy.keyring:KeyRing._held
-- One key asked for: from before the document is read until the key is forgotten.
sig Ask {
  ring: one Ring,
  var free: set Unit,                    // code: shared.privacy.lifecycle:provision
  var got: lone DataKey                  // code: shared.privacy.envelope:OpenKey.kid
}
var sig Begun in Ask {}                  // code: shared.privacy.keyring:KeyRing.clock
var sig InHand in Ask {}                 // code: shared.privacy.envelope:OpenKey
var sig Over in Ask {}                   // code: shared.privacy.envelope:Lease.until
var lone sig Sealing in Ask {}           // code: shared.privacy.envelope:OpenKey.cipher
var sig Written in DataKey {}            // code: shared.events.personal:Sealed.values

pred past[moment: set Ask] { moment in Over }
fun covered[t: Target]: set Unit { t & Unit + { u: Unit | t = Whole } }
-- Since when nobody may have it in hand any more: counted from when the fence was seen to stand.
pred effective[t: Target] {
  Confirm in Config.off implies past[Document.fenced_at[t]]
    else (t in Document.seen and (past[Document.confirmed[t]] or Wait in Config.off))
}
fun fenced: set Unit { Document.gone + { u: Unit | some Document.fence & (Fenced + Destroyed) } }
fun openable: set DataKey { { k: Document.units - Dead | k.unit not in fenced } }

-- What does not move in a step.
pred fence_rests { fence' = fence and holds' = holds }
pred units_rest { units' = units and gone' = gone and destroyed' = destroyed and Erased' = Erased }
pred times_rest { fenced_at' = fenced_at and seen' = seen and confirmed' = confirmed }
pred document_rests { fence_rests and units_rest and times_rest }
pred clerks_rest { at' = at and Timed' = Timed }
-- No epoch ends; of the asks any may be over by now.
pred epochs_rest { Dead' = Dead and Over in Over' }
pred rings_rest {
  free' = free and got' = got and held' = held and Begun' = Begun and InHand' = InHand
}
pred nothing_sealed { no Sealing' and Written' = Written }
pred others_rest { epochs_rest and rings_rest and nothing_sealed }

-- Every write is on condition of the version that was read: who read an older one reads again, and
-- takes the time again.
pred write { at' = at and (ReadFirst in Config.off implies Timed' = Timed else no Timed') }
pred say[f: Fence] { fence' = fence ++ Document -> f }

-- It runs: there may be keys, remembered and in hand; somebody may have read the document and taken
-- the time, and a copy may have been made.
pred init {
  Document.fence in Active and (no Document.fence implies no Document.units)
  all u: Unit | lone Document.units & unit.u
  no holds and no gone and no destroyed and no fenced_at and no seen and no confirmed
  no Dead and no Erased and no Over and no Sealing and no free and Written in Document.units
  Copy.fence in Document.fence and Copy.units in Document.units
  no Copy.fence implies no Copy.units
  Ask.got in Document.units and got.DataKey in Begun
  InHand in got.DataKey and Ring.held in InHand and all r: Ring | r.held.ring in r
  Clerk.at in Begun
}

-- Retention. It reads the document, takes the time, and writes later.
pred update[c: Clerk] {                  // code: shared.mongo.aggregates:Aggregates.update
  Timed' = Timed + c
  at' = at - c -> Ask + c -> Begun
  document_rests and others_rest
}

pred fence_[c: Clerk] {                  // code: shared.privacy.lifecycle:fence
  c in Timed
  Document.fence in Active + (Hold in Config.off implies Restricted else none)
  say[Fenced] and holds' = holds
  fenced_at' = fenced_at - Document -> Whole -> Ask + Document -> Whole -> c.at
  seen' = seen and confirmed' = confirmed
  units_rest and write and others_rest
}

pred take_back {                         // code: shared.privacy.lifecycle:take_back
  Document.fence = Fenced
  say[Active] and holds' = holds
  fenced_at' = fenced_at - Document -> Whole -> Ask
  seen' = seen - Document -> Whole and confirmed' = confirmed - Document -> Whole -> Ask
  units_rest and write and others_rest
}

pred fence_unit[c: Clerk, u: Unit] {     // code: shared.privacy.lifecycle:fence_unit
  c in Timed and Document.fence = Active and u not in Document.gone
  gone' = gone + Document -> u
  fenced_at' = fenced_at - Document -> u -> Ask + Document -> u -> c.at
  seen' = seen and confirmed' = confirmed
  units' = units and destroyed' = destroyed and Erased' = Erased
  fence_rests and write and others_rest
}

-- A unit's own fence, for that of the whole may be taken back.
pred confirm[c: Clerk, t: Target] {      // code: shared.privacy.lifecycle:confirm
  c in Timed and t not in Document.seen
  t in Document.gone or (Document.fence = Fenced and (t = Whole or OwnFence in Config.off))
  seen' = seen + Document -> t
  confirmed' = confirmed - Document -> t -> Ask + Document -> t -> c.at
  fenced_at' = fenced_at
  fence_rests and units_rest and write and others_rest
}

pred destroy {                           // code: shared.privacy.lifecycle:destroy
  Document.fence = Fenced and effective[Whole]
  fence' = fence - Document -> Fence + { d: Document, f: Destroyed | Tombstone not in Config.off }
  units' = units - Document -> DataKey
  gone' = gone - Document -> Unit and destroyed' = destroyed - Document -> Unit
  seen' = seen - Document -> Target and confirmed' = confirmed - Document -> Target -> Ask
  Erased' = Unit
  holds' = holds and fenced_at' = fenced_at and write and others_rest
}

pred destroy_unit[u: Unit] {             // code: shared.privacy.lifecycle:destroy_unit
  u in Document.gone - Document.destroyed and effective[u]
  Document.fence != Restricted or Hold in Config.off
  units' = units - Document -> unit.u
  Tombstone in Config.off implies gone' = gone - Document -> u and destroyed' = destroyed
    else gone' = gone and destroyed' = destroyed + Document -> u
  seen' = seen - Document -> u and confirmed' = confirmed - Document -> u -> Ask
  Erased' = Erased + u
  fence_rests and fenced_at' = fenced_at and write and others_rest
}

pred restrict[h: Case] {                 // code: shared.privacy.lifecycle:restrict
  Document.fence in Active + Restricted and some Document.fence and h not in Document.holds
  say[Restricted] and holds' = holds + Document -> h
  units_rest and times_rest and write and others_rest
}

pred release[h: Case] {                  // code: shared.privacy.lifecycle:release
  h in Document.holds
  holds' = holds - Document -> h
  say[no Document.holds' implies Active else Document.fence]
  units_rest and times_rest and write and others_rest
}

-- A ring. The time is taken before the document is asked for, and the lease counts from it.
pred now[a: Ask] {                       // code: shared.privacy.keyring:KeyRing._now
  a not in Ring.held
  begin_anew[a] and Begun' = Begun + a and held' = held
  free' = free - a -> Unit + a -> { u: Unit | Document.fence in Active and u not in Document.gone }
}
pred begin_anew[asks: set Ask] {
  got' = got - asks -> DataKey and InHand' = InHand - asks
  at' = at - Clerk -> asks and Timed' = Timed
  fenced_at' = fenced_at - Kept -> Target -> asks and seen' = seen
  confirmed' = confirmed - Kept -> Target -> asks
  Dead' = Dead and Over - asks in Over' and no asks & Over'
  fence_rests and units_rest and nothing_sealed
}

pred remember[a: Ask, k: DataKey] {
  got' = got + a -> k and held' = held + a.ring -> a and InHand' = InHand + a
  free' = free and Begun' = Begun
}

pred provision[a: Ask, k: DataKey] {     // code: shared.privacy.lifecycle:provision
  a in Begun and no a.got and k not in Dead
  OneDocument in Config.off implies k.unit in a.free
    else (Document.fence in Active and k.unit not in Document.gone)
  k in Document.units implies document_rests and clerks_rest else {
    no Document.units & unit.(k.unit) and k not in Ask.got + Kept.units + Written
    units' = units + Document -> k
    fence' = fence + { d: Document, f: Active | no Document.fence }
    gone' = gone and destroyed' = destroyed and holds' = holds and Erased' = Erased
    times_rest and write
  }
  remember[a, k] and epochs_rest and nothing_sealed
}

pred opening[a: Ask, k: DataKey] {       // code: shared.privacy.keyring:KeyRing.opening
  a in Begun and no a.got and k in openable and Document.fence = Active
  remember[a, k]
  document_rests and clerks_rest and epochs_rest and nothing_sealed
}

pred usable[a: Ask] {                    // code: shared.privacy.envelope:OpenKey.usable
  some a.got and (a not in Over or Lease in Config.off)
}

fun in_use: set DataKey { { a: Ask | usable[a] }.got }

pred remembered[a: Ask] {                // code: shared.privacy.keyring:KeyRing._remembered
  a in Ring.held and usable[a]
  InHand' = InHand + a
  free' = free and got' = got and held' = held and Begun' = Begun
  document_rests and clerks_rest and epochs_rest and nothing_sealed
}

pred seal_text[a: Ask] {                 // code: shared.privacy.envelope:seal_text
  a in InHand and usable[a]
  Sealing' = a and Written' = Written + a.got
  document_rests and clerks_rest and epochs_rest and rings_rest
}

pred evict[r: Ring] {                    // code: shared.privacy.keyring:KeyRing.evict
  held' = held - r -> Ask
  free' = free and got' = got and Begun' = Begun and InHand' = InHand
  document_rests and clerks_rest and epochs_rest and nothing_sealed
}

-- A process starts, after a crash, too: nothing is remembered or in hand.
pred key_ring[r: Ring] {                 // code: shared.privacy.rings:key_ring
  let asks = ring.r {
    begin_anew[asks] and Begun' = Begun - asks and held' = held - r -> Ask
    free' = free - asks -> Unit
  }
}

-- The world. An older copy of the document comes into its place. What is taken for granted then,
-- and is not built: that the epochs under which it wraps what was destroyed are gone, and that all
-- that retention did since is done again before anybody is served.
pred back_up {
  copy_units[Copy, Document] and copy_fences[Copy, Document]
  Erased' = Erased and clerks_rest and others_rest
}
pred copy_units[to, from: Kept] { units' = units - to -> DataKey + to -> from.units }
pred copy_fences[to, from: Kept] {
  fence' = fence - to -> Fence + to -> from.fence
  holds' = holds - to -> Case + to -> from.holds
  gone' = gone - to -> Unit + to -> from.gone
  destroyed' = destroyed - to -> Unit + to -> from.destroyed
  fenced_at' = fenced_at - to -> Target -> Ask + to -> from.fenced_at
  seen' = seen - to -> Target + to -> from.seen
  confirmed' = confirmed - to -> Target -> Ask + to -> from.confirmed
}

-- A new epoch: what lives is wrapped anew, and the former is gone.
pred rotate {
  Dead' = Dead + (Copy.units - Document.units) and Over in Over'
  document_rests and clerks_rest and rings_rest and nothing_sealed
}

pred restore {
  Rotation in Config.off or Copy.units & unit.Erased in Dead
  copy_units[Document, Copy]
  Reapply in Config.off implies copy_fences[Document, Copy]
    else (fence_rests and gone' = gone and destroyed' = destroyed and times_rest)
  Erased' = Erased and write and others_rest
}

pred rest { document_rests and clerks_rest and others_rest }

pred trans {
  (some a: Ask | now[a] or remembered[a] or seal_text[a]
    or some k: DataKey | provision[a, k] or opening[a, k])
  or (some r: Ring | evict[r] or key_ring[r])
  or (some c: Clerk | update[c] or fence_[c]
    or (some u: Unit | fence_unit[c, u]) or some t: Target | confirm[c, t])
  or (some u: Unit | destroy_unit[u]) or destroy or take_back
  or (some h: Case | restrict[h] or release[h])
  or back_up or rotate or restore or rest
}
fact { always (trans and Over' in Begun' and Decided' = Decided and Due' = Due) }

-- P2, one half: nothing is encrypted under a key after its fence is effective.
pred P2a { no Sealing.got.unit & Erased }
-- The other: what was destroyed is not to be had again, and who was erased does not come back.
pred P2b { no (Document.units - Dead + in_use).unit & Erased }
-- P4, as far as it is about holds.
pred P4 { some Document.holds implies Erased' in Erased }
-- A fence is effective, before anything is destroyed, when nobody can use what it fences.
pred nobody_has_it {
  all t: Target | effective[t] implies no in_use.unit & covered[t]
}

-- Why it holds. `begins` and `goes_on` show that these are true in every state that can be reached,
-- after however many steps; `means` that the laws follow from them.
pred invariant {
  all u: Unit, k: Kept | lone k.units & unit.u
  all k: Kept | no k.fence implies no k.(units + gone)
  no Document.fence implies no Copy.fence
  some Document.holds iff Document.fence = Restricted
  got.DataKey + Over in Begun and InHand + Ring.held in got.DataKey
  all r: Ring | r.held.ring in r
  Document.destroyed in Document.gone
  Erased = (Document.fence = Destroyed implies Unit else Document.destroyed)
  Document.units & unit.Erased in Dead
  Whole in Document.seen implies Document.fence = Fenced
  Document.seen & Unit in Document.gone
  -- Whoever has a key that is fenced had asked for it before anybody saw the fence.
  all t: Document.seen | got.(unit.(covered[t])) in Over + Document.confirmed[t]
  all c: Timed | got.(unit.fenced) in Over + c.at
  got.(unit.Erased) in Over
  P2a
}
check begins { init and honest implies invariant }
  for 3 but 0 Key, 0 Decision, 2 Unit, 2 Ring, 2 Clerk, 2 Case, 1..1 steps
check goes_on { invariant and honest implies after invariant and P4 }
  for 3 but 0 Key, 0 Decision, 2 Unit, 2 Ring, 2 Clerk, 2 Case, 2..2 steps
check means { invariant and honest implies P2a and P2b and nobody_has_it }
  for 3 but 0 Key, 0 Decision, 2 Unit, 2 Ring, 2 Clerk, 2 Case, 1..1 steps

-- Without any one of them a law breaks.
check broken_OneDocument { init and without[OneDocument] implies always P2b }
  for 2 but 0 Key, 0 Decision, 1 Unit, 1 Ring, 1 Ask, 1 Clerk, 0 Case, 7..7 steps
check broken_Lease { init and without[Lease] implies always P2a }
  for 2 but 0 Key, 0 Decision, 1 Unit, 1 Ring, 1 Ask, 1 Clerk, 0 Case, 6..6 steps
check broken_Confirm { init and without[Confirm] implies always P2a }
  for 2 but 0 Key, 0 Decision, 1 Unit, 1 Ring, 1 Ask, 1 Clerk, 0 Case, 4..4 steps
check broken_ReadFirst { init and without[ReadFirst] implies always P2a }
  for 2 but 0 Key, 0 Decision, 1 Unit, 1 Ring, 1 Ask, 1 Clerk, 0 Case, 5..5 steps
check broken_Wait { init and without[Wait] implies always P2a }
  for 2 but 0 Key, 0 Decision, 1 Unit, 1 Ring, 1 Ask, 1 Clerk, 0 Case, 6..6 steps
check broken_OwnFence { init and without[OwnFence] implies always P2a }
  for 2 but 0 Key, 0 Decision, 1 Unit, 1 Ring, 1 Ask, 1 Clerk, 0 Case, 11..11 steps
check broken_Hold { init and without[Hold] implies always P4 }
  for 2 but 0 Key, 0 Decision, 1 Unit, 1 Ring, 1 Ask, 1 Clerk, 1 Case, 6..6 steps
check broken_Tombstone { init and without[Tombstone] implies always P2b }
  for 2 but 0 Key, 0 Decision, 1 Unit, 1 Ring, 1 Ask, 1 Clerk, 0 Case, 6..6 steps
check broken_Tombstone_unit {
  init and without[Tombstone] and always Document.fence = Active implies always P2b }
  for 2 but 0 Key, 0 Decision, 1 Unit, 1 Ring, 1 Ask, 1 Clerk, 0 Case, 6..6 steps
check broken_Rotation { init and without[Rotation] implies always P2b }
  for 2 but 0 Key, 0 Decision, 1 Unit, 1 Ring, 1 Ask, 1 Clerk, 0 Case, 6..6 steps
check broken_Reapply { init and without[Reapply] implies always P2b }
  for 2 but 0 Key, 0 Decision, 1 Unit, 1 Ring, 1 Ask, 1 Clerk, 0 Case, 7..7 steps

-- It does happen: keys are made and used, then fenced, and destroyed while somebody is frozen with
-- one in hand; a copy that comes back afterwards opens nothing.
run a_life_of_keys {
  init and honest and no Document.fence and no Begun
  eventually (some Sealing and back_up and eventually (
    some InHand & got.(unit.Erased) and eventually (restore and some Copy.units & unit.Erased)))
} for 2 but 0 Key, 0 Decision, 1 Unit, 1 Ring, 1 Ask, 1 Clerk, 0 Case, 12..12 steps
