//! Stands in for the crate `hwloc2` (`[patch.crates-io]` in the engine's Cargo.toml), so that nobody has to install the C
//! library hwloc to build or run the engine.
//!
//! The library's multicore SDR asks hwloc for groups of cores that share a cache, locks one within its own process, and
//! binds each of its threads to one core of it. With one process for each sector all processes choose the same group;
//! it also takes numbers of cores for numbers of CPUs where a mask restricts them, and panics where the caches do not
//! divide the cores evenly. So the engine has its cores from the worker's plan instead, as the mask of the whole process
//! (`machine.rs`): this topology has no cores, the library finds no groups, and its threads stay below that mask.

/// A set of CPUs. There are none.
#[derive(Clone, Debug, Default)]
pub struct Bitmap(());

pub type CpuSet = Bitmap;

impl Bitmap {
    pub fn full() -> Bitmap {
        Bitmap(())
    }

    pub fn singlify(&mut self) {}

    pub fn is_set(&self, _id: u32) -> bool {
        false
    }
}

/// Where a binding applies.
#[derive(Clone, Copy, Debug)]
pub struct CpuBindFlags(());

impl CpuBindFlags {
    pub const CPUBIND_THREAD: CpuBindFlags = CpuBindFlags(());

    pub const fn empty() -> CpuBindFlags {
        CpuBindFlags(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectType {
    Core,
}

/// A node of the topology, such as a core.
#[derive(Debug, Default)]
pub struct TopologyObject(());

impl TopologyObject {
    pub fn cpuset(&self) -> Option<CpuSet> {
        None
    }
}

/// What a topology that has no objects answers.
#[derive(Debug)]
pub struct NoObjects;

/// A topology without cores.
#[derive(Debug, Default)]
pub struct Topology {
    root: TopologyObject,
}

impl Topology {
    pub fn new() -> Option<Topology> {
        Some(Topology::default())
    }

    /// The library takes this error for "no groups of cores", and binds nothing.
    pub fn depth_or_below_for_type(&self, _kind: &ObjectType) -> Result<u32, NoObjects> {
        Err(NoObjects)
    }

    pub fn objects_with_type(&self, _kind: &ObjectType) -> Result<Vec<&TopologyObject>, NoObjects> {
        Err(NoObjects)
    }

    pub fn size_at_depth(&self, _depth: u32) -> u32 {
        0
    }

    pub fn object_at_root(&self) -> &TopologyObject {
        &self.root
    }

    pub fn get_cpubind(&self, _flags: CpuBindFlags) -> Option<CpuSet> {
        None
    }

    pub fn get_cpubind_for_thread<Thread>(&self, _thread: Thread, _flags: CpuBindFlags) -> Option<CpuSet> {
        None
    }

    pub fn set_cpubind_for_thread<Thread>(
        &mut self,
        _thread: Thread,
        _set: CpuSet,
        _flags: CpuBindFlags,
    ) -> Result<(), NoObjects> {
        Err(NoObjects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_finds_no_groups_of_cores() {
        let topology = Topology::new().unwrap();
        assert!(topology.depth_or_below_for_type(&ObjectType::Core).is_err());
    }
}
