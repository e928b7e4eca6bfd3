/*
 * From a topic to a read model: the consumer loop and the guarded write.
 *
 * One work, whose versions stand in its partition in order (`L2` of gate.als: a fenced relay never
 * lets an older one be the last word). Keys do not meet but in the offset that is committed, and
 * that is what `committed` stands for. Batches may come again, whole or in part, from any earlier
 * place, and a member that was frozen may write late.
 */
module projector

open flip
open util/ordering[Version] as version

one sig Guard, WriteFirst extends Mechanism {}

sig Version {}
one sig Topic { var logged: set Version }          // code: services.distribution.projections:SOURCES
one sig Works { var row: lone Version }            // code: services.distribution.projections:WORKS
one sig Group { var committed: set Version }       // code: shared.kafka.consume:Consumer._committed
sig Projector {
  var position: set Version,                       // code: shared.kafka.consume:Consumer._applied
  var batch: set Version                           // code: shared.kafka.consume:Consumer._take
}
var one sig Member in Projector {}                 // code: shared.kafka.consume:Consumer._generation

-- A position is what stands before it.
pred whole[versions: set Version] { versions.prevs in versions }
fun last[versions: set Version]: set Version { versions - versions.prevs }

pred flips_rest { Decided' = Decided }
pred group_rests { committed' = committed and Member' = Member }
pred hands_rest { position' = position and batch' = batch }

pred init {
  whole[Topic.logged] and no row and no committed and no position and no batch
}

pred publish {                           // code: shared.kafka.relay:Relay._publish
  some v: Version - Topic.logged | v.prevs in Topic.logged and logged' = logged + Topic -> v
  row' = row and group_rests and hands_rest
}

-- Whoever is given the partition starts where the group committed, or before: a replay.
pred assigned[p: Projector] {            // code: shared.kafka.consume:Consumer._assigned
  Member' = p
  let from = p.position' {
    whole[from] and from in Group.committed
    position' = position - p -> Version + p -> from
  }
  batch' = batch - p -> Version
  logged' = logged and row' = row and committed' = committed
}

pred fetch[p: Projector] {               // code: shared.kafka.consume:Consumer._loop
  no p.batch and some p.batch'
  let all_read = p.position + p.batch' {
    whole[all_read] and all_read in Topic.logged and no p.position & p.batch'
    batch' = batch + p -> p.batch'
    WriteFirst in Config.off implies position' = position + p -> all_read else position' = position
  }
  logged' = logged and row' = row and group_rests
}

-- The newest of a batch, and only over an older one.
pred apply_writes[p: Projector] {        // code: shared.mongo.guarded:apply_writes
  some p.batch
  let new = last[p.batch] |
    row' = Works -> (Guard not in Config.off and some Works.row and lte[new, Works.row]
      implies Works.row else new)
  position' = position + p -> p.batch
  batch' = batch - p -> Version
  logged' = logged and group_rests
}

-- Refused to whoever is not the group's member any more.
pred commit[p: Projector] {              // code: shared.kafka.consume:Consumer._commit
  p = Member and (no p.batch or WriteFirst in Config.off)
  committed' = Group -> p.position
  Member' = Member and logged' = logged and row' = row and hands_rest
}

pred rest { logged' = logged and row' = row and group_rests and hands_rest }

pred trans {
  publish or rest or
  some p: Projector | assigned[p] or fetch[p] or apply_writes[p] or commit[p]
}
fact { always (trans and flips_rest and Due' = Due) }

-- L2: a row never goes down, and holds all that was committed: the fold of the topic.
pred never_down { some Works.row implies some Works.row' and lte[Works.row, Works.row'] }
pred folded { Group.committed in Works.row + Works.row.prevs }

pred invariant {
  whole[Topic.logged] and whole[Group.committed] and Works.row in Topic.logged
  all p: Projector {
    whole[p.position] and whole[p.position + p.batch]
    p.position + p.batch in Topic.logged
    p.position in Works.row + Works.row.prevs
  }
  folded
}
check begins { init and honest implies invariant } for 3 but 5 Version, 0 Decision, 1..1 steps
check goes_on { invariant and honest implies after invariant and never_down }
  for 3 but 5 Version, 0 Decision, 2..2 steps

check broken_Guard { init and without[Guard] implies always never_down }
  for 3 but 2 Version, 0 Decision, 2 Projector, 7..7 steps
check broken_WriteFirst { init and without[WriteFirst] implies always folded }
  for 3 but 2 Version, 0 Decision, 1 Projector, 4..4 steps

run it_follows {
  init and honest and some Topic.logged
  eventually (#Version = 2 and Group.committed = Version and Works.row = version/last)
} for 3 but exactly 2 Version, 0 Decision, 2 Projector, 7..7 steps
