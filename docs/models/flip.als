/*
 * The preference flip: what is decided, and what has to be obeyed by whom. README.md says how to
 * read this. Three models rest on it: gate.als (from a decision to a reader), projector.als (from a
 * topic to a read model) and products.als (from both to the indexers).
 *
 * Settings. A setting is open or it is not: an audience may see the references or it may not. What
 * holds for one audience holds for each, for the records of both products are written in one
 * transaction. Unset is a choice that is not open.
 *
 * Time. There is no clock, only what a clock tells apart here: whether the stale bound (`stale-after`
 * of the policy) has passed since something. `Due` are the decisions since which it has. A watermark
 * holds the decisions that were made before its outbox was read. Knowledge is certainly too old when
 * its watermark lacks a decision that is due. A reader that compares times is stale then and
 * sometimes earlier: the model shows no less than the code, so what it never shows the code never
 * shows. "The stated second" after an acknowledgement is measured (`make bench NAME=flip`); what
 * holds whatever freezes is the bound, and it counts from the decision itself.
 */
module flip

open util/ordering[Decision] as age      // among decisions of one key: their versions

abstract sig Key {}                      // of a record on a gate topic
sig Prefix extends Key {}
lone sig Title extends Key {}            // the title that the work stands in

abstract sig Decision { key: one Key }
sig Choice extends Decision {} { key in Prefix }
sig Open in Choice {}
sig Transfer extends Decision { owner: one Prefix } { key in Title }

var sig Decided in Decision {}           // code: shared.mongo.aggregates:Saved.state
var sig Due in Decision {}               // code: shared.kafka.knowledge:Knowledge.stale_after

-- What can be taken away, one at a time, to see what it is for.
abstract sig Mechanism {}
one sig Config { off: set Mechanism }
pred honest { no Config.off }
pred without[m: Mechanism] { Config.off = m }

pred superseded[d: Decision, by: set Decision] { some e: by | e.key = d.key and lt[d, e] }
pred covers[known, decisions: set Decision] {
  all d: decisions | d in known or superseded[d, known]
}
fun newest[decisions: set Decision]: set Decision {
  { d: decisions | not superseded[d, decisions] }
}
fun earliest: set Decision { { d: Decision | no e: Decision | e.key = d.key and lt[e, d] } }

-- Whose a work is and under which choice, as somebody knows it: what its references rest on.
fun standing[known: set Decision]: set Decision {
  let transfer = newest[known & Transfer] |
    transfer + newest[{ c: known & Choice | c.key = transfer.owner }]
}
pred shows[standing: set Decision] { some standing & Open }

-- Whether the references may be seen by somebody who must obey `obeyed` and may know more.
pred may_show[obeyed: set Decision] {
  some t: Decided & Transfer, c: Decided & Open |
    c.key = t.owner and not superseded[t, obeyed] and not superseded[c, obeyed]
}

pred decide[d: Decision] {
  d not in Decided and not superseded[d, Decided]
  Decided' = Decided + d
}
pred time_passes { Due in Due' and Due' in Decided' }
