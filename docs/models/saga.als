/*
 * The erasure of a person, or of one record whose clock is due, from the plan to the evidence.
 *
 * One person with one key document and several units, each a record of one service. Two erasures may
 * run at once: two requests, two clocks, or one of each. A service that is away takes no step; one
 * that cannot look says so. Stores come back from older copies. Of flip.als only the mechanisms are
 * used here; that a fence which stands and was waited for ends all use is what keys.als shows, and
 * here a fence ends it at once.
 *
 * Whoever carries an erasure out may be frozen at any place and go on much later: what a step does
 * outside may be done whenever the erasure was at that step once (`been`). Writing a step down is on
 * condition of the version that was read, so it happens only where the erasure still is at it.
 */
module saga

open flip

one sig Approval, Commit, OwnCause, OwnUnits, Hold, Gone, LedgerFirst, Gate, CouldNotLook, OfOrder,
  Added extends Mechanism {}

abstract sig Step { prior: lone Step }
one sig Looking, Planned, Collected, Fenced, Destroying, Destroyed, Ordered, Evidenced,
  TakingBack, TakenBack extends Step {}
fact {
  prior = Planned -> Looking + Collected -> Planned + Fenced -> Collected + Destroying -> Fenced
    + Destroyed -> Destroying + Ordered -> Destroyed + Evidenced -> Ordered
    + TakingBack -> Looking + TakenBack -> TakingBack
}

sig Unit { home: one Service }
sig Case {}

abstract sig Erasure {
  var step: lone Step,                   // code: services.retention.model.erasure_states:KeptErasure.step
  var been: set Step,                    // code: services.retention.model.erasure_states:KeptErasure.times
  var asked: set Service,                // code: services.retention.model.erasure_states:KeptErasure.services
  var saw: set Service,                  // code: services.retention.model.erasure_plans:plan_of
  var said: set Service                  // code: services.retention.model.answers:counts
}
sig Request extends Erasure {}
sig DueClock extends Erasure { unit: one Unit }
var sig Approved in Erasure {}           // code: services.retention.model.erasure_states:KeptErasure.approver
var sig Entered in Erasure {}            // code: shared.events.orders:LedgerState.entry
fun names[e: Erasure]: set Unit { e.unit + { u: Unit | some e & Request } }

-- The key document.
abstract sig Fence {}
one sig Active, Shut, Ended extends Fence {}
one sig Keys {
  var fence: one Fence,                  // code: shared.privacy.lifecycle:KeptKeys.fence
  var cause: lone Erasure,               // code: shared.privacy.lifecycle:KeptKeys.cause
  var cut: set Unit,                     // code: shared.privacy.lifecycle:KeptKeys.gone
  var live: set Unit,                    // code: shared.privacy.lifecycle:KeptKeys.units
  var holds: set Case,                   // code: shared.privacy.lifecycle:KeptKeys.holds
  var old: set Unit                      // code: shared.privacy.lifecycle:KeptKeys.units
}
-- What was destroyed once. Nobody keeps this; the laws speak of it.
var sig Dead in Unit {}                  // code: shared.privacy.keyring:Erased

sig Service {
  var rows: set Unit,                    // code: shared.privacy.erasing:Held
  var copy: set Unit                     // code: shared.privacy.erasing:Held
}
var sig Holding in Service {}            // code: shared.policy.erasure:ErasurePolicy.services
var sig Serving in Service {}            // code: shared.events.orders:LedgerState.records

fun fenced: set Unit { Keys.cut + { u: Unit | Keys.fence != Active } }
-- How keys stand for an erasure: fenced for itself, or gone.
pred gone_[e: Erasure] {
  no names[e] & Keys.live
  Keys.fence = Ended or (e in DueClock and names[e] in Keys.cut)
}
pred stands[e: Erasure] {
  gone_[e] or (e in DueClock and Keys.fence = Active and names[e] in Keys.cut)
    or (e in Request and Keys.fence = Shut and (Keys.cause = e or OwnCause in Config.off))
}

-- What does not move in a step.
pred keys_rest {
  fence' = fence and cause' = cause and cut' = cut and live' = live and holds' = holds
  old' = old and Dead' = Dead
}
pred steps_rest { step' = step and been' = been and asked' = asked and Approved' = Approved }
pred answers_rest { saw' = saw and said' = said }
pred erasures_rest { steps_rest and answers_rest and Entered' = Entered }
pred services_rest {
  rows' = rows and copy' = copy and Holding' = Holding and Serving' = Serving
}

-- It runs: a person's records are kept, erasures may be planned, approved, or be taken back.
pred init {
  all e: Erasure | follows[e] and no e.step & (Fenced + late)
  all e: Erasure | asks[e]
  all e: Erasure | Planned in e.been implies e.asked in e.saw
  all e: Erasure | e in Approved iff Collected in e.been
  no said and no Entered and no Dead and no Keys.cut
  Keys.fence = Active and no Keys.cause and no Keys.holds
  Serving = Service and all s: Service | s.(rows + copy).home in s & Holding
  Keys.old in Keys.live and Service.rows in Keys.live
}
-- An erasure was at what leads to where it is, and at nothing else.
pred follows[e: Erasure] {
  e.step in e.been and (no e.step implies no e.been)
  e in DueClock and TakingBack in e.been implies Fenced not in e.been
  all s: e.been | s.prior in e.been
    and (s = e.step or TakingBack in e.been or some t: e.been | t.prior = s)
  TakingBack in e.been implies (no e.been & late
    and e.step = (TakenBack in e.been implies TakenBack else TakingBack))
}
-- A clock asks the service of its record, a request all that hold personal data.
pred asks[e: Erasure] {
  no e.step implies no e.asked
  e in Request implies e.asked in Holding else (some e.step implies e.asked = e.unit.home)
}
fun late: set Step { Destroying + Destroyed + Ordered + Evidenced }

pred move[e: Erasure, to: Step] {
  step' = step ++ e -> to and been' = been + e -> to
}
pred goes[e: Erasure, to: Step] {
  e.step = to.prior
  move[e, to] and asked' = asked and Approved' = Approved and answers_rest and Entered' = Entered
  keys_rest and services_rest
}

-- Whoever asks, and the plan.
pred begin[e: Erasure] {                 // code: services.retention.model.erasures:begin
  no e.step
  move[e, Looking]
  asked' = asked + e -> (e in DueClock implies e.unit.home else Holding)
  Approved' = Approved and answers_rest and Entered' = Entered and keys_rest and services_rest
}

pred look[s: Service, e: Erasure] {      // code: shared.privacy.erasing:look
  s in e.asked & Serving and Looking in e.been
  saw' = saw + e -> s and said' = said
  steps_rest and Entered' = Entered and keys_rest and services_rest
}

pred plan_of[e: Erasure] {               // code: services.retention.model.erasure_plans:plan_of
  e.asked in e.saw and goes[e, Planned]
}

-- A clock that is due approves itself; nobody else's plan goes on without somebody.
pred approve[e: Erasure] {               // code: services.retention.model.erasures:approve
  e.step = Planned
  move[e, Collected] and Approved' = Approved + e
  asked' = asked and answers_rest and Entered' = Entered and keys_rest and services_rest
}
pred collect[e: Erasure] {               // code: services.retention.erasure.looking:collect
  Approval in Config.off and goes[e, Collected]
}

pred take_back[e: Erasure] {             // code: services.retention.model.erasures:take_back
  some e.step & (Looking + Planned + Collected + Fenced)
  e in DueClock implies e.step in Looking + Planned
  move[e, TakingBack]
  asked' = asked and Approved' = Approved and answers_rest and Entered' = Entered
  keys_rest and services_rest
}

-- Fences. The hold or the fence, whichever the key document has first; of two erasures the first.
pred fence_all[e: Erasure] {             // code: services.retention.erasure.fencing:fence_all
  Collected in e.been and Keys.fence = Active
  no Keys.holds or e in DueClock or Hold in Config.off
  e in Request implies (fence' = Keys -> Shut and cause' = Keys -> e and cut' = cut)
    else (cut' = cut + Keys -> e.unit and fence' = fence and cause' = cause)
  live' = live and holds' = holds and old' = old and Dead' = Dead
  erasures_rest and services_rest
}

pred fence_[e: Erasure] {                // code: services.retention.erasure.fencing:fence
  stands[e] and goes[e, Fenced]
}

-- Of an erasure that was given up, by whoever comes to it, however late.
pred release[e: Erasure] {               // code: services.retention.erasure.fencing:release
  TakingBack in e.been and Keys.fence = Shut and Keys.cause = e
  fence' = Keys -> Active and no cause'
  cut' = cut and live' = live and holds' = holds and old' = old and Dead' = Dead
  erasures_rest and services_rest
}
pred give_back[e: Erasure] {             // code: services.retention.erasure.certifying:give_back
  Keys.cause != e and goes[e, TakenBack]
}

pred restrict[h: Case] {                 // code: shared.privacy.lifecycle:restrict
  Keys.fence = Active and h not in Keys.holds
  holds' = holds + Keys -> h
  fence' = fence and cause' = cause and cut' = cut and live' = live and old' = old and Dead' = Dead
  erasures_rest and services_rest
}
pred release_[h: Case] {                 // code: shared.privacy.lifecycle:release
  h in Keys.holds
  holds' = holds - Keys -> h
  fence' = fence and cause' = cause and cut' = cut and live' = live and old' = old and Dead' = Dead
  erasures_rest and services_rest
}

-- From here on there is no way back, and nothing is destroyed before.
fun no_way_back: set Step { Destroying + { s: Fenced | Commit in Config.off } }
pred commit[e: Erasure] {                // code: services.retention.erasure.fencing:commit
  stands[e] and goes[e, Destroying]
}

pred enter[e: Erasure] {                 // code: services.retention.erasure.ledger:enter
  some e.been & no_way_back
  Entered' = Entered + e
  steps_rest and answers_rest and keys_rest and services_rest
}

pred destroy_all[e: Erasure] {           // code: services.retention.erasure.destroying:destroy_all
  some e.been & no_way_back
  e in Entered or LedgerFirst in Config.off
  no Keys.holds or Hold in Config.off
  e in Request implies (Keys.fence = Shut and fence' = Keys -> Ended)
    else (e.unit in Keys.cut and Keys.fence = Active and fence' = fence)
  let these = OwnUnits in Config.off implies Unit else names[e] {
    live' = live - Keys -> these and Dead' = Dead + these
  }
  cause' = cause and cut' = cut and holds' = holds and old' = old
  erasures_rest and services_rest
}

pred destroy[e: Erasure] {               // code: services.retention.erasure.destroying:destroy
  e in Entered or LedgerFirst in Config.off
  gone_[e] or Gone in Config.off
  goes[e, Destroyed]
}

-- The order, and what services answer.
pred order[e: Erasure] {                 // code: services.retention.erasure.ordering:order
  goes[e, Ordered]
}

pred erase[s: Service, e: Erasure] {     // code: shared.privacy.erasing:Holding.erase
  s in e.asked & Serving and Ordered in e.been
  rows' = rows - s -> names[e] and said' = said + e -> s and saw' = saw
  copy' = copy and Holding' = Holding and Serving' = Serving
  steps_rest and Entered' = Entered and keys_rest
}

-- An answer that does not count is none.
pred could_not_look[s: Service, e: Erasure] {   // code: services.retention.model.answers:counts
  s in e.asked and Ordered in e.been
  said' = (CouldNotLook in Config.off implies said + e -> s else said) and saw' = saw
  steps_rest and Entered' = Entered and keys_rest and services_rest
}

pred added_services[e: Erasure] {        // code: services.retention.erasure.saga:Saga.added_services
  e.step = Ordered and e in Request and some Holding - e.asked
  asked' = asked + e -> Holding
  step' = step and been' = been and Approved' = Approved and answers_rest and Entered' = Entered
  keys_rest and services_rest
}

pred evidence[e: Erasure] {              // code: services.retention.erasure.ordering:evidence
  e.asked in e.said + (OfOrder in Config.off implies e.saw else none)
  e in DueClock or Holding in e.asked or Added in Config.off
  goes[e, Evidenced]
}

-- The services' own life: a record is written, maybe after an old event; a service is new.
pred provision[s: Service, u: Unit] {    // code: shared.privacy.lifecycle:provision
  s in u.home & Serving & Holding and u not in fenced and no Keys.holds
  rows' = rows + s -> u and live' = live + Keys -> u
  copy' = copy and Holding' = Holding and Serving' = Serving
  fence' = fence and cause' = cause and cut' = cut and holds' = holds and old' = old
  Dead' = Dead and erasures_rest
}

pred personal_service[s: Service] {      // code: shared.policy.erasure:ErasurePolicy.services
  s not in Holding
  Holding' = Holding + s
  rows' = rows and copy' = copy and Serving' = Serving and keys_rest and erasures_rest
}

-- The world. A copy is made, of a service's store or of the keys, and comes into its place. What is
-- taken for granted of the key store is that fences and holds are set again, and that whatever the
-- ledger names is destroyed again, before anybody is served (keys.als, Reapply and Rotation).
pred back_up {
  erasures_rest and Holding' = Holding and Serving' = Serving and rows' = rows
  fence' = fence and cause' = cause and cut' = cut and live' = live and holds' = holds
  Dead' = Dead
  (old' = live and copy' = copy) or (old' = old and some s: Service | copy' = copy - s -> Unit
    + s -> s.rows)
}

pred restore {
  erasures_rest and copy' = copy and old' = old and Holding' = Holding
  fence' = fence and cause' = cause and cut' = cut and holds' = holds and Dead' = Dead
  (live' = Keys -> (Keys.old - names[Entered]) and rows' = rows and Serving' = Serving)
    or (live' = live and some s: Service {
      rows' = rows - s -> Unit + s -> s.copy
      Serving' = (Gate in Config.off implies Serving else Serving - s)
    })
}

-- A service that starts reads the ledger to its end, and erases again what that names.
pred serve[s: Service] {                 // code: shared.events.orders:LedgerState.records
  s not in Serving
  Serving' = Serving + s and rows' = rows - s -> names[Entered]
  copy' = copy and Holding' = Holding and erasures_rest and keys_rest
}

pred rest { erasures_rest and keys_rest and services_rest }

pred trans {
  (some e: Erasure | begin[e] or plan_of[e] or approve[e] or collect[e] or take_back[e]
    or fence_all[e] or fence_[e] or release[e] or give_back[e] or commit[e] or enter[e]
    or destroy_all[e] or destroy[e] or order[e] or added_services[e] or evidence[e])
  or (some s: Service | personal_service[s] or serve[s]
    or (some e: Erasure | look[s, e] or erase[s, e] or could_not_look[s, e])
    or some u: Unit | provision[s, u])
  or (some h: Case | restrict[h] or release_[h])
  or back_up or restore or rest
}
fact { always (trans and Decided' = Decided and Due' = Due) }

-- P2: what the ledger names is not encrypted under any more; what was destroyed does not come back
-- to the keys, and once all evidence is there, to no service either.
pred P2 {
  no names[Entered] - fenced
  all e: Erasure | Destroyed in e.been implies no names[e] & Keys.live
  all e: Erasure | Evidenced in e.been implies no names[e] & Serving.rows
}
-- P3: when an erasure has its evidence, nobody who serves holds anything of it.
pred P3 {
  all e: Erasure | Evidenced in e.been' - e.been implies no names[e] & Serving'.rows'
}
-- P4: what is destroyed is named by an erasure that was approved and is past its way back; what
-- is held is not.
pred P4 {
  Dead' - Dead in names[{ e: Approved | Destroying in e.been }]
  some Keys.holds implies Dead' in Dead
}

-- Why it holds.
pred invariant {
  all e: Erasure | follows[e]
  all e: Erasure | Collected in e.been implies e in Approved
  all e: Erasure | asks[e]
  all s: Service | s.(rows + copy).home in s & Holding
  some Keys.cause iff Keys.fence != Active
  Keys.cause in Request
  Keys.fence = Ended implies no Keys.live and Keys.cause in Entered
  some Keys.holds implies Keys.fence = Active
  no Keys.live & Dead and Dead in names[Entered]
  all e: Entered | Destroying in e.been
  -- From its fence on, unless it is taken back, an erasure's keys are fenced for itself, or gone.
  all e: Erasure | Fenced in e.been and TakingBack not in e.been implies (
    Keys.fence = Ended or (e in DueClock and e.unit in Keys.cut) or Keys.cause = e)
  all e: Erasure | Destroyed in e.been implies e in Entered and gone_[e]
  said.Service in been.Ordered
  all e: Erasure, s: e.said & Serving | no s.rows & names[e]
  all e: Erasure | Evidenced in e.been implies no names[e] & Serving.rows
}
check begins { init and honest implies invariant }
  for 2 but 0 Key, 0 Decision, 2 Unit, 2 Service, 2 Erasure, 1 Case, 1..1 steps
check goes_on { invariant and honest implies after invariant and P3 and P4 }
  for 2 but 0 Key, 0 Decision, 3 Unit, 2 Service, 3 Erasure, 1 Case, 2..2 steps
check means { invariant and honest implies P2 }
  for 2 but 0 Key, 0 Decision, 2 Unit, 2 Service, 2 Erasure, 1 Case, 1..1 steps

-- Without any one of them a law breaks.
check broken_Approval { init and without[Approval] implies always P4 }
  for 2 but 0 Key, 0 Decision, 1 Unit, 1 Service, 1 Erasure, 0 Case, 7..7 steps
check broken_Commit { init and without[Commit] implies always P4 }
  for 2 but 0 Key, 0 Decision, 1 Unit, 1 Service, 1 Erasure, 0 Case, 4..4 steps
check broken_OwnUnits { init and without[OwnUnits] implies always P4 }
  for 2 but 0 Key, 0 Decision, 2 Unit, 1 Service, 1 Erasure, 0 Case, 6..6 steps
check broken_Hold { init and without[Hold] implies always P4 }
  for 2 but 0 Key, 0 Decision, 1 Unit, 1 Service, 1 Erasure, 1 Case, 7..7 steps
check broken_OwnCause { init and without[OwnCause] implies always P2 }
  for 2 but 0 Key, 0 Decision, 1 Unit, 1 Service, 2 Erasure, 0 Case, 6..6 steps
check broken_Gone { init and without[Gone] implies always P2 }
  for 2 but 0 Key, 0 Decision, 1 Unit, 1 Service, 1 Erasure, 0 Case, 6..6 steps
check broken_LedgerFirst { init and without[LedgerFirst] implies always P2 }
  for 2 but 0 Key, 0 Decision, 1 Unit, 1 Service, 1 Erasure, 0 Case, 7..7 steps
check broken_Gate { init and without[Gate] implies always P2 }
  for 2 but 0 Key, 0 Decision, 1 Unit, 1 Service, 1 Erasure, 0 Case, 10..10 steps
check broken_CouldNotLook { init and without[CouldNotLook] implies always P3 }
  for 2 but 0 Key, 0 Decision, 1 Unit, 1 Service, 1 Erasure, 0 Case, 10..10 steps
check broken_OfOrder { init and without[OfOrder] implies always P3 }
  for 2 but 0 Key, 0 Decision, 1 Unit, 1 Service, 1 Erasure, 0 Case, 9..9 steps
check broken_Added { init and without[Added] implies always P3 }
  for 2 but 0 Key, 0 Decision, 1 Unit, 2 Service, 1 Erasure, 0 Case, 9..9 steps

-- It does happen: a person asks, and one of two services is away until the keys are gone; then its
-- store comes back from an older copy, and it serves again when it has caught up.
run an_erasure {
  init and honest and no Erasure.step and some Service.rows & Keys.live
  eventually (Request = Erasure and Evidenced in Erasure.been
    and some s: Service | s not in Serving and some s.rows and eventually s in Serving)
} for 2 but 0 Key, 0 Decision, 1 Unit, 1 Service, 1 Erasure, 0 Case, 16..16 steps
-- Two requests of one person at once: the second finds the keys gone, and goes on.
run two_at_once {
  init and honest and Collected = Erasure.step and some Service.rows
  eventually all e: Erasure | Destroyed in e.been
} for 2 but 0 Key, 0 Decision, 1 Unit, 1 Service, exactly 2 Request, 0 DueClock, 0 Case, 11..11 steps
