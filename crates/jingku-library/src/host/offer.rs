//! Which instances this machine can run.

use std::fs::File;
use std::io::Read;
use std::ops::RangeInclusive;
use std::thread;

use jingku_protocol::ParamError;

use crate::config::ContainerSettings;

/// The type that a machine without GPUs offers. Its instances count as having one GPU: the official CLI cannot ask for
/// none.
pub const CPU_TYPE: &str = "CPU";
/// The type of GPUs whose model the configuration does not tell.
const UNKNOWN_TYPE: &str = "GPU";
/// The most GPUs of one instance in a list. With all sizes of memory and numbers of cores, it stays below 1 MiB.
const LISTED_GPUS_MAX: i64 = 16;
/// What requests and rows measure memory in, MB per GB.
const MB_PER_GB: i64 = 1024;
/// How much of `/proc/cpuinfo` is read, in bytes: it has the same lines for each core.
const CPU_INFO_BYTES_MAX: u64 = 4096;

/// Cores, memory and GPUs of this machine.
#[derive(Clone, Debug, PartialEq)]
pub struct HostOffer {
    /// The most cores of one instance.
    pub cpus: i64,
    /// The most memory of one instance, in GB.
    pub memory_gb: i64,
    /// The make of its cores: `Intel/Auto`, `Amd/Auto` or `Auto`.
    pub cpu_platform: &'static str,
    /// The types of instances; at least one.
    pub types: Vec<OfferedType>,
}

/// GPUs of one model, or [`CPU_TYPE`].
#[derive(Clone, Debug, PartialEq)]
pub struct OfferedType {
    /// Its name in requests and rows, such as `4090`.
    pub name: String,
    /// The CDI names of its GPUs; empty for [`CPU_TYPE`].
    pub devices: Vec<String>,
    /// The memory of each GPU in GB; 0 for unknown.
    pub gpu_memory_gb: i64,
    /// CNY per hour for each GPU.
    pub price: f64,
}

/// What an instance may use, in the units of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceSize {
    /// GPUs; 1 for [`CPU_TYPE`].
    pub gpus: i64,
    /// Cores.
    pub cpus: i64,
    /// MB.
    pub memory_mb: i64,
}

impl OfferedType {
    /// The most GPUs of one instance.
    pub fn gpus_max(&self) -> i64 {
        i64::try_from(self.devices.len()).unwrap_or(i64::MAX).max(1)
    }

    /// Says what it is to people.
    pub fn description(&self) -> String {
        match self.gpu_memory_gb {
            _ if !self.has_gpus() => "Cores and memory, without GPUs".to_owned(),
            0 => format!("{} GPU", self.name),
            gb => format!("{} GPU with {gb} GB", self.name),
        }
    }

    /// The numbers of GPUs that lists offer; [`HostOffer::check`] accepts more.
    pub fn gpu_sizes(&self) -> RangeInclusive<i64> {
        1..=self.gpus_max().min(LISTED_GPUS_MAX)
    }

    /// Whether its instances have GPUs.
    pub fn has_gpus(&self) -> bool {
        !self.devices.is_empty()
    }

    /// The GPUs that are not in use. The engine names a GPU as `0`, as `nvidia.com/gpu=0`, or all of them as `all`.
    pub fn free_devices(&self, in_use: &[String]) -> Vec<&str> {
        let short = |name: &str| name.rsplit('=').next().unwrap_or_default().to_owned();
        let is_used = |device: &str| {
            in_use.iter().any(|used| used == device || short(used) == "all" || *used == short(device))
        };
        self.devices.iter().map(String::as_str).filter(|device| !is_used(device)).collect()
    }
}

impl HostOffer {
    /// Reads the machine. The configuration can offer less, and other GPUs than the CDI specs name.
    pub(super) fn read(settings: &ContainerSettings, cdi_gpus: Vec<String>) -> Self {
        let host = &settings.host;
        let cpus = host.cpus.map_or_else(cpus_of_machine, i64::from);
        let memory_bytes = host.memory.map_or_else(memory_of_machine, |size| size.0);
        Self {
            cpus: cpus.max(1),
            memory_gb: (memory_bytes >> 30).max(1),
            cpu_platform: cpu_platform(),
            types: types(settings, cdi_gpus),
        }
    }

    /// The type of this name.
    pub fn find(&self, name: &str) -> Option<&OfferedType> {
        self.types.iter().find(|offered| offered.name == name)
    }

    /// Checks that an instance can run here, and returns its type. Whether its GPUs are free is another question.
    pub fn check(&self, gpu_type: &str, size: InstanceSize) -> Result<&OfferedType, ParamError> {
        let not_available = |name: &str| ParamError::NotAvailable(name.to_owned());
        let offered = self.find(gpu_type).ok_or_else(|| not_available("GpuType"))?;
        if !(1..=offered.gpus_max()).contains(&size.gpus) {
            return Err(not_available("GPU"));
        }
        if !(1..=self.cpus).contains(&size.cpus) {
            return Err(not_available("CPU"));
        }
        let gb = size.memory_mb / MB_PER_GB;
        if size.memory_mb % MB_PER_GB != 0 || !(1..=self.memory_gb).contains(&gb) {
            return Err(not_available("Memory"));
        }
        Ok(offered)
    }

    /// The numbers of cores that lists offer; [`HostOffer::check`] accepts those between too.
    pub fn cpu_sizes(&self) -> Vec<i64> {
        sizes_up_to(self.cpus)
    }

    /// The sizes of memory that lists offer, in GB.
    pub fn memory_sizes_gb(&self) -> Vec<i64> {
        sizes_up_to(self.memory_gb)
    }
}

/// 1, 2, 3, 4, 6, 8, 12, 16 … and the largest: at most 32 for 64 Ki.
fn sizes_up_to(largest: i64) -> Vec<i64> {
    let powers = (0..62).map(|exponent| 1_i64 << exponent).take_while(|power| *power < largest);
    let between = powers.flat_map(|power| [power, power + power / 2]).filter(|size| *size < largest);
    let mut sizes: Vec<i64> = between.chain([largest]).collect();
    sizes.dedup();
    sizes
}

fn types(settings: &ContainerSettings, devices: Vec<String>) -> Vec<OfferedType> {
    let host = &settings.host;
    let configured = host.gpus.iter().filter(|gpus| !gpus.devices.is_empty()).map(|gpus| OfferedType {
        name: gpus.gpu_type.clone(),
        devices: gpus.devices.clone(),
        gpu_memory_gb: gpus.memory_gb.into(),
        price: gpus.price.unwrap_or(host.price).0,
    });
    let configured: Vec<OfferedType> = configured.collect();
    if !configured.is_empty() {
        return configured;
    }
    let name = match settings.gpu_type.as_str() {
        _ if devices.is_empty() => CPU_TYPE,
        "" => UNKNOWN_TYPE,
        model => model,
    };
    vec![OfferedType { name: name.to_owned(), devices, gpu_memory_gb: 0, price: host.price.0 }]
}

fn cpus_of_machine() -> i64 {
    thread::available_parallelism().map_or(1, |cpus| i64::try_from(cpus.get()).unwrap_or(1))
}

fn memory_of_machine() -> i64 {
    let info = rustix::system::sysinfo();
    let bytes = info.totalram.saturating_mul(info.mem_unit.into());
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn cpu_platform() -> &'static str {
    let mut info = String::new();
    let read =
        File::open("/proc/cpuinfo").and_then(|file| file.take(CPU_INFO_BYTES_MAX).read_to_string(&mut info));
    match read {
        Ok(_) if info.contains("GenuineIntel") => "Intel/Auto",
        Ok(_) if info.contains("AuthenticAMD") => "Amd/Auto",
        Ok(_) | Err(_) => "Auto",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(settings: &str) -> HostOffer {
        let settings: ContainerSettings = toml::from_str(settings).unwrap();
        HostOffer::read(&settings, Vec::new())
    }

    const TWO_MODELS: &str = r#"
        [host]
        cpus = 6
        memory = "8GB"
        price = 0.5
        [[host.gpus]]
        type = "4090"
        devices = ["nvidia.com/gpu=0", "nvidia.com/gpu=1"]
        memory_gb = 24
        price = 1.88
        [[host.gpus]]
        type = "P40"
        devices = ["nvidia.com/gpu=2"]
    "#;

    #[test]
    fn a_machine_without_gpus_offers_its_cores() {
        let offer = offer("gpu_type = '4090'\nhost.price = 0.1");
        assert!(offer.cpus >= 1 && offer.memory_gb >= 1, "{offer:?}");
        let [only] = &*offer.types else { panic!("{offer:?}") };
        assert_eq!((&*only.name, only.has_gpus(), only.gpus_max(), only.price), (CPU_TYPE, false, 1, 0.1));
    }

    #[test]
    fn an_instance_must_fit() {
        let offer = offer(TWO_MODELS);
        let check = |gpu_type, gpus, cpus, memory_mb| {
            let fits = offer.check(gpu_type, InstanceSize { gpus, cpus, memory_mb });
            fits.map(|offered| offered.price).map_err(|error| error.name().to_owned())
        };
        assert_eq!(check("4090", 2, 6, 8192), Ok(1.88));
        assert_eq!(check("P40", 1, 5, 7168), Ok(0.5));
        for (gpu_type, gpus, cpus, memory_mb, wrong) in [
            ("A100", 1, 1, 1024, "GpuType"),
            ("CPU", 1, 1, 1024, "GpuType"),
            ("", 1, 1, 1024, "GpuType"),
            ("4090", 3, 1, 1024, "GPU"),
            ("4090", 0, 1, 1024, "GPU"),
            ("P40", -1, 1, 1024, "GPU"),
            ("P40", 1, 7, 1024, "CPU"),
            ("P40", 1, 0, 1024, "CPU"),
            ("P40", 1, 1, 9216, "Memory"),
            ("P40", 1, 1, 16, "Memory"),
            ("P40", 1, 1, 0, "Memory"),
            ("P40", 1, 1, -1024, "Memory"),
            ("P40", 1, 1, i64::MAX, "Memory"),
        ] {
            assert_eq!(
                check(gpu_type, gpus, cpus, memory_mb),
                Err(wrong.to_owned()),
                "{gpu_type} {gpus} {cpus}"
            );
        }
    }

    #[test]
    fn lists_offer_usual_sizes_and_the_largest() {
        let offer = offer(TWO_MODELS);
        assert_eq!(
            (offer.cpu_sizes(), offer.memory_sizes_gb()),
            (vec![1, 2, 3, 4, 6], vec![1, 2, 3, 4, 6, 8])
        );
        assert_eq!((sizes_up_to(1), sizes_up_to(7)), (vec![1], vec![1, 2, 3, 4, 6, 7]));
        assert!(sizes_up_to(i64::MAX).len() < 128 && sizes_up_to(1 << 16).len() <= 32);
    }

    #[test]
    fn used_gpus_are_not_free() {
        let offer = offer(TWO_MODELS);
        let free = |in_use: &[&str]| {
            let in_use: Vec<String> = in_use.iter().map(|name| (*name).to_owned()).collect();
            offer.types.iter().map(|offered| offered.free_devices(&in_use).len()).collect::<Vec<_>>()
        };
        assert_eq!(free(&[]), [2, 1]);
        assert_eq!(free(&["nvidia.com/gpu=1", "2"]), [1, 0]);
        assert_eq!(free(&["nvidia.com/gpu=all"]), [0, 0]);
        assert_eq!(free(&["all"]), [0, 0]);
        assert_eq!(free(&["GPU-unknown", "10"]), [2, 1]);
    }
}
