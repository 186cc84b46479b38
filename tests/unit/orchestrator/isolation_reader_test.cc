#include "orchestrator/isolation_reader.h"

#include <gtest/gtest.h>

#include <optional>

#include "common/status.h"

namespace caisson::orchestrator {
namespace {

constexpr uint32_t kHostUid = 1'900'000'001;

constexpr char kLockedStatus[] =
    "Name:\tcaisson-init\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t812\nNgid:\t0\nPid:\t812\nPPid:\t811\n"
    "TracerPid:\t0\nUid:\t1900000001\t1900000001\t1900000001\t1900000001\n"
    "Gid:\t1900000001\t1900000001\t1900000001\t1900000001\nFDSize:\t64\nGroups:\t "
    "\nNStgid:\t812\t2\nNSpid:\t812\t2\n"
    "Threads:\t1\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
    "CapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:"
    "\t1\n";

constexpr char kMounts[] =
    "80 79 0:40 / / ro,nosuid,nodev,relatime - tmpfs tmpfs rw,size=1024k,nr_inodes=512,mode=755\n"
    "81 80 254:0 /usr /usr ro,nosuid,nodev,relatime - ext4 /dev/vda rw,discard\n"
    "82 80 0:41 / /dev ro,nosuid,noexec,relatime - tmpfs tmpfs rw,size=64k,nr_inodes=32,mode=755\n"
    "83 80 0:42 /box /box rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,size=65536k\n"
    "84 80 0:42 /tmp /tmp rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,size=65536k\n"
    "85 82 0:42 /shm /dev/shm rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,size=65536k\n"
    "86 80 0:43 / /proc ro,nosuid,nodev,noexec,relatime - proc proc rw,hidepid=invisible,subset=pid\n";

constexpr char kNetDevHeading[] =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls "
    "carrier "
    "compressed\n";

constexpr uint32_t kAllMounts = ipc::kMountRootReadOnly | ipc::kMountAllNosuid | ipc::kMountAllNodevButDev |
                                ipc::kMountProcRestricted | ipc::kMountPrivate;

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

uint32_t MountBits(const std::string& text) {
  ipc::IsolationReport report{};
  const absl::Status parsed = ParseMountInfo(text, std::nullopt, report);
  EXPECT_TRUE(parsed.ok()) << Message(parsed);
  return report.mounts;
}

ipc::IsolationReport Complete() {
  ipc::IsolationReport report{};
  EXPECT_TRUE(ParseProcStatus(kLockedStatus, report).ok());
  EXPECT_TRUE(
      ParseUidMap("         1 1900000000          1\n      1000 1900000001          1\n", kHostUid, report)
          .ok());
  EXPECT_TRUE(ParseMountInfo(kMounts, std::nullopt, report).ok());
  EXPECT_TRUE(ParseNetDev(std::string(kNetDevHeading) + "    lo:       0       0\n", report).ok());
  report.init_host_uid = 1'900'000'000;
  report.namespaces = 0x7f;
  report.landlock_abi = 7;
  report.landlock_enforced = 1;
  return report;
}

TEST(ProcStatusTest, ReadsEveryField) {
  const ipc::IsolationReport report = Complete();
  EXPECT_EQ(report.payload_host_uid, kHostUid);
  EXPECT_EQ(report.payload_host_gid, kHostUid);
  EXPECT_EQ(report.supplementary_groups, 0U);
  EXPECT_EQ(report.cap_bounding, 0U);
  EXPECT_EQ(report.no_new_privs, 1U);
  EXPECT_EQ(report.seccomp_mode, 2U);
  EXPECT_EQ(report.seccomp_filters, 1U);
}

TEST(ProcStatusTest, CapabilitiesAreHexadecimal) {
  ipc::IsolationReport report{};
  const std::string text = Replaced(kLockedStatus, "CapBnd:\t0000000000000000", "CapBnd:\t000001fffeffffff");
  ASSERT_TRUE(ParseProcStatus(text, report).ok());
  EXPECT_EQ(report.cap_bounding, 0x1fffeffffffULL);
}

TEST(ProcStatusTest, SupplementaryGroupsAreCounted) {
  ipc::IsolationReport report{};
  ASSERT_TRUE(ParseProcStatus(Replaced(kLockedStatus, "Groups:\t ", "Groups:\t4 24 27 "), report).ok());
  EXPECT_EQ(report.supplementary_groups, 3U);
}

TEST(ProcStatusTest, AMissingFieldIsAnErrorThatNamesIt) {
  for (const std::string key : {"Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
                                "NoNewPrivs", "Seccomp", "Seccomp_filters"}) {
    ipc::IsolationReport report{};
    const absl::Status parsed =
        ParseProcStatus(Replaced(kLockedStatus, "\n" + key + ":", "\nX" + key + ":"), report);
    EXPECT_TRUE(absl::IsInvalidArgument(parsed)) << key;
    EXPECT_NE(Message(parsed).find(key), std::string::npos);
  }
}

TEST(ProcStatusTest, MalformedNumbersAreErrors) {
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"NoNewPrivs:\t1", "NoNewPrivs:\tyes"},
           {"Seccomp:\t2", "Seccomp:\t99999999999"},
           {"CapEff:\t0000000000000000", "CapEff:\t"},
           {"Uid:\t1900000001\t", "Uid:\t"},
           {"Gid:\t1900000001\t1900000001\t1900000001\t1900000001", "Gid:\tx\tx\tx\tx"}}) {
    ipc::IsolationReport report{};
    EXPECT_TRUE(absl::IsInvalidArgument(ParseProcStatus(Replaced(kLockedStatus, from, to), report))) << from;
  }
}

TEST(ProcStatusTest, ASavedUidOfAnotherIsRefused) {
  ipc::IsolationReport report{};
  const std::string text = Replaced(kLockedStatus, "Uid:\t1900000001\t1900000001\t1900000001\t",
                                    "Uid:\t1900000001\t1900000001\t0\t");
  EXPECT_TRUE(absl::IsFailedPrecondition(ParseProcStatus(text, report)));
}

TEST(ProcStatusTest, ParentAndPlaceInThePidNamespace) {
  EXPECT_EQ(ParseParentPid(kLockedStatus).value(), 811);
  EXPECT_FALSE(IsNamespaceInit(kLockedStatus));
  EXPECT_TRUE(IsNamespaceInit("NSpid:\t811\t1\n"));
  EXPECT_FALSE(IsNamespaceInit("NSpid:\t1\n")) << "the host's own first process is no sandbox's init";
  EXPECT_FALSE(ParseParentPid("PPid:\t0\n").ok());
  EXPECT_FALSE(ParseParentPid("").ok());
}

TEST(UidMapTest, FindsThePayloadsLine) { EXPECT_EQ(Complete().uid_map_inside, 1000U); }

TEST(UidMapTest, AMapThatReachesRootReportsZero) {
  for (const std::string text :
       {"0 1900000000 1\n1000 1900000001 1\n", "1 0 1\n1000 1900000001 1\n", "0 0 4294967295\n"}) {
    ipc::IsolationReport report{};
    ASSERT_TRUE(ParseUidMap(text, kHostUid, report).ok()) << text;
    EXPECT_EQ(report.uid_map_inside, 0U) << text;
  }
}

TEST(UidMapTest, NoLineForThePayloadOrMalformedIsAnError) {
  for (const std::string text :
       {"", "1 1900000000 1\n", "1000 1900000001\n", "1000 1900000001 x\n", "a b c\n", "1000 1900000002 1\n",
        "1000 1900000001 0\n", "1000 1900000001 4294967296\n"}) {
    ipc::IsolationReport report{};
    EXPECT_TRUE(absl::IsInvalidArgument(ParseUidMap(text, kHostUid, report))) << text;
  }
}

TEST(MountInfoTest, TheSandboxAsBuiltHasEveryBit) {
  EXPECT_EQ(MountBits(kMounts), kAllMounts);
  EXPECT_EQ(Complete().mount_count, 7U);
}

TEST(MountInfoTest, AWritableRootOrBindIsSeen) {
  EXPECT_EQ(MountBits(Replaced(kMounts, "/ / ro,", "/ / rw,")), kAllMounts & ~ipc::kMountRootReadOnly);
  EXPECT_EQ(MountBits(Replaced(kMounts, "/usr /usr ro,", "/usr /usr rw,")),
            kAllMounts & ~ipc::kMountRootReadOnly);
}

TEST(MountInfoTest, AWritableMountIsOnlyWorkIfItIsATmpfsInItsPlace) {
  EXPECT_EQ(MountBits(Replaced(kMounts, "/box /box", "/box /srv")), kAllMounts & ~ipc::kMountRootReadOnly);
  EXPECT_EQ(MountBits(Replaced(kMounts, "noexec,relatime - tmpfs tmpfs rw,size=65536k",
                               "relatime - ext4 /dev/vda rw")),
            kAllMounts & ~ipc::kMountRootReadOnly);
}

TEST(MountInfoTest, AMountWithoutNosuidIsSeen) {
  EXPECT_EQ(MountBits(Replaced(kMounts, "/tmp rw,nosuid,", "/tmp rw,")), kAllMounts & ~ipc::kMountAllNosuid);
}

TEST(MountInfoTest, AMountWithoutNodevIsSeen) {
  EXPECT_EQ(MountBits(Replaced(kMounts, "/box rw,nosuid,nodev,", "/box rw,nosuid,")),
            kAllMounts & ~ipc::kMountAllNodevButDev);
}

TEST(MountInfoTest, AWritableDevHasNoExcuseForDevices) {
  EXPECT_EQ(MountBits(Replaced(kMounts, "/ /dev ro,", "/ /dev rw,")),
            kAllMounts & ~(ipc::kMountAllNodevButDev | ipc::kMountRootReadOnly));
}

TEST(MountInfoTest, AFullOrMissingOrSecondProcIsSeen) {
  EXPECT_EQ(MountBits(Replaced(kMounts, ",subset=pid", "")), kAllMounts & ~ipc::kMountProcRestricted);
  EXPECT_EQ(MountBits(Replaced(kMounts, "hidepid=invisible,", "")), kAllMounts & ~ipc::kMountProcRestricted);
  EXPECT_EQ(MountBits(Replaced(kMounts, "hidepid=invisible", "hidepid=noaccess")),
            kAllMounts & ~ipc::kMountProcRestricted);
  EXPECT_EQ(MountBits(Replaced(kMounts, "/ /proc ro", "/ /srv ro")), kAllMounts & ~ipc::kMountProcRestricted);
  EXPECT_EQ(MountBits(std::string(kMounts) + "87 80 0:44 / /mnt ro,nosuid,nodev - proc proc rw\n"),
            kAllMounts & ~ipc::kMountProcRestricted);
}

TEST(MountInfoTest, OlderKernelsWriteHidepidAsANumber) {
  EXPECT_EQ(MountBits(Replaced(kMounts, "hidepid=invisible", "hidepid=2")), kAllMounts);
}

TEST(MountInfoTest, APeerGroupOrMasterIsSeen) {
  for (const std::string word : {"shared:7", "master:7", "shared:7 master:3", "propagate_from:2"}) {
    EXPECT_EQ(MountBits(Replaced(kMounts, "relatime - ext4", "relatime " + word + " - ext4")),
              kAllMounts & ~ipc::kMountPrivate);
  }
  EXPECT_EQ(MountBits(Replaced(kMounts, "relatime - ext4", "relatime unbindable - ext4")), kAllMounts);
}

TEST(MountInfoTest, DevptsMayBeWritableAndHoldDevices) {
  EXPECT_EQ(MountBits(std::string(kMounts) +
                      "88 82 0:45 / /dev/pts rw,nosuid,noexec - devpts devpts rw,mode=620\n"),
            kAllMounts);
}

TEST(MountInfoTest, EscapedPathsCannotPassForOthers) {
  EXPECT_EQ(MountBits(Replaced(kMounts, "/box /box", "/box /box\\040x")),
            kAllMounts & ~ipc::kMountRootReadOnly);
}

TEST(MountInfoTest, MalformedTextIsAnError) {
  for (const std::string& text :
       {std::string(), std::string("80 79 0:40 / / ro\n"), std::string("80 79 0:40 / / ro - tmpfs\n"),
        std::string(kMounts, sizeof kMounts - 2), Replaced(kMounts, "/ / ro", "/ /x ro")}) {
    ipc::IsolationReport report{};
    EXPECT_TRUE(absl::IsInvalidArgument(ParseMountInfo(text, std::nullopt, report))) << text;
  }
}

TEST(NetDevTest, CountsAllButLoopback) {
  ipc::IsolationReport report{};
  const std::string heading = kNetDevHeading;
  ASSERT_TRUE(ParseNetDev(heading + "    lo:       0       0\n", report).ok());
  EXPECT_EQ(report.network_interfaces, 0U);
  ASSERT_TRUE(ParseNetDev(heading + "    lo: 1 2\n  eth0: 1 2\n lo0: 0\n", report).ok());
  EXPECT_EQ(report.network_interfaces, 2U);
}

TEST(NetDevTest, MalformedTextIsAnError) {
  for (const std::string& text :
       {std::string(), std::string("lo: 0\n"), std::string(kNetDevHeading) + "eth0 1 2\n"}) {
    ipc::IsolationReport report{};
    EXPECT_TRUE(absl::IsInvalidArgument(ParseNetDev(text, report))) << text;
  }
}

// As Linux 6.1 shows a loopback interface that is up, shortened.
constexpr char kLoopbackRoutes[] =
    "Main:\n  +-- 127.0.0.0/8 2 0 2\n     +-- 127.0.0.0/31 1 0 0\n        |-- 127.0.0.0\n"
    "           /8 host LOCAL\n        |-- 127.0.0.1\n           /32 host LOCAL\n"
    "     |-- 127.255.255.255\n        /32 link BROADCAST\n";
constexpr char kLoopbackAddress[] = "00000000000000000000000000000001 01 80 10 80       lo\n";

TEST(FibTrieTest, AnEmptyOneMeansThatNothingIsUp) {
  ipc::IsolationReport report{};
  ParseFibTrie("", report);
  ParseIfInet6("", report);
  EXPECT_EQ(report.loopback_up, 0U);
  EXPECT_EQ(report.network_addresses, 0U);
}

TEST(FibTrieTest, AddressesOfLoopbackAreNoOthers) {
  ipc::IsolationReport report{};
  ParseFibTrie(kLoopbackRoutes, report);
  EXPECT_EQ(report.loopback_up, 1U);
  EXPECT_EQ(report.network_addresses, 0U);
}

TEST(FibTrieTest, EveryOtherAddressAndRouteCounts) {
  ipc::IsolationReport report{};
  ParseFibTrie(std::string(kLoopbackRoutes) + "  |-- 0.0.0.0\n    /0 universe UNICAST\n  |-- 10.127.0.1\n",
               report);
  EXPECT_EQ(report.network_addresses, 2U);
}

TEST(IfInet6Test, AddressesBesidesLocalhostCount) {
  ipc::IsolationReport report{};
  ParseIfInet6(kLoopbackAddress, report);
  EXPECT_EQ(report.loopback_up, 1U);
  EXPECT_EQ(report.network_addresses, 0U);
  ParseIfInet6(std::string(kLoopbackAddress) + "fe800000000000000000000000000001 02 40 20 80 eth0\n", report);
  EXPECT_EQ(report.network_addresses, 1U);
}

TEST(CheckIsolationTest, ACompleteReportPasses) {
  const absl::Status checked = CheckIsolation(Complete(), {kHostUid});
  EXPECT_TRUE(checked.ok()) << Message(checked);
}

TEST(CheckIsolationTest, EachFieldThatDoesNotHoldIsNamed) {
  using Change = void (*)(ipc::IsolationReport&);
  const std::vector<std::pair<std::string, Change>> changes{
      {"payload_host_uid", [](ipc::IsolationReport& r) { r.payload_host_uid = 0; }},
      {"payload_host_uid", [](ipc::IsolationReport& r) { r.payload_host_uid += 2; }},
      {"payload_host_gid", [](ipc::IsolationReport& r) { r.payload_host_gid = 0; }},
      {"payload_host_gid", [](ipc::IsolationReport& r) { r.payload_host_gid += 2; }},
      {"init_host_uid", [](ipc::IsolationReport& r) { r.init_host_uid = 0; }},
      {"init_host_uid", [](ipc::IsolationReport& r) { r.init_host_uid = r.payload_host_uid; }},
      {"supplementary_groups", [](ipc::IsolationReport& r) { r.supplementary_groups = 1; }},
      {"uid_map_inside", [](ipc::IsolationReport& r) { r.uid_map_inside = 0; }},
      {"cap_inheritable", [](ipc::IsolationReport& r) { r.cap_inheritable = 1; }},
      {"cap_permitted", [](ipc::IsolationReport& r) { r.cap_permitted = 1; }},
      {"cap_effective", [](ipc::IsolationReport& r) { r.cap_effective = 1; }},
      {"cap_bounding", [](ipc::IsolationReport& r) { r.cap_bounding = uint64_t{1} << 40U; }},
      {"cap_ambient", [](ipc::IsolationReport& r) { r.cap_ambient = 1; }},
      {"no_new_privs", [](ipc::IsolationReport& r) { r.no_new_privs = 0; }},
      {"seccomp_mode", [](ipc::IsolationReport& r) { r.seccomp_mode = 0; }},
      {"seccomp_filters", [](ipc::IsolationReport& r) { r.seccomp_filters = 0; }},
      {"namespaces", [](ipc::IsolationReport& r) { r.namespaces &= ~ipc::kNsCgroup; }},
      {"namespaces", [](ipc::IsolationReport& r) { r.namespaces &= ~ipc::kNsUser; }},
      {"mounts", [](ipc::IsolationReport& r) { r.mounts &= ~ipc::kMountPrivate; }},
      {"mount_count", [](ipc::IsolationReport& r) { r.mount_count = 0; }},
      {"landlock_enforced", [](ipc::IsolationReport& r) { r.landlock_enforced = 0; }},
      {"network_interfaces", [](ipc::IsolationReport& r) { r.network_interfaces = 1; }},
      {"network_addresses", [](ipc::IsolationReport& r) { r.network_addresses = 1; }},
      {"loopback_up", [](ipc::IsolationReport& r) { r.loopback_up = 1; }},
      {"root", [](ipc::IsolationReport& r) { r.root = ipc::RootKind::kImage; }},
      {"root", [](ipc::IsolationReport& r) { r.root = ipc::RootKind{}; }},
      {"max_user_namespaces", [](ipc::IsolationReport& r) { r.max_user_namespaces = 1; }}};
  for (const auto& [field, change] : changes) {
    ipc::IsolationReport report = Complete();
    change(report);
    const absl::Status checked = CheckIsolation(report, {kHostUid});
    EXPECT_TRUE(absl::IsFailedPrecondition(checked)) << field;
    EXPECT_NE(Message(checked).find(field), std::string::npos) << Message(checked);
  }
}

TEST(CheckIsolationTest, WhatIsMissingIsNamed) {
  ipc::IsolationReport report = Complete();
  report.namespaces &= ~(ipc::kNsIpc | ipc::kNsUts);
  EXPECT_EQ(Message(CheckIsolation(report, {kHostUid})), "check isolation: namespaces lacks ipc, uts");
  report = Complete();
  report.mounts &= ~ipc::kMountProcRestricted;
  EXPECT_EQ(Message(CheckIsolation(report, {kHostUid})), "check isolation: mounts lacks proc_restricted");
  report.mounts = ~0U;
  EXPECT_FALSE(CheckIsolation(report, {kHostUid}).ok());
}

TEST(CheckInitTest, EachLockThatInitLacksIsNamed) {
  ipc::IsolationReport locked{};
  locked.payload_host_uid = kHostUid - 1;
  locked.payload_host_gid = kHostUid - 1;
  locked.cap_permitted = 0x24;  // CAP_KILL, CAP_DAC_READ_SEARCH
  locked.cap_effective = 0x24;
  locked.no_new_privs = 1;
  locked.seccomp_mode = 2;
  locked.seccomp_filters = 1;
  EXPECT_TRUE(CheckInit(locked).ok()) << Message(CheckInit(locked));
  using Change = void (*)(ipc::IsolationReport&);
  const std::vector<std::pair<std::string, Change>> changes{
      {"uid", [](ipc::IsolationReport& r) { r.payload_host_uid = 0; }},
      {"gid", [](ipc::IsolationReport& r) { r.payload_host_gid = 0; }},
      {"supplementary_groups", [](ipc::IsolationReport& r) { r.supplementary_groups = 1; }},
      {"cap_inheritable", [](ipc::IsolationReport& r) { r.cap_inheritable = 0x20; }},
      {"cap_permitted", [](ipc::IsolationReport& r) { r.cap_permitted |= 1U; }},
      {"cap_effective", [](ipc::IsolationReport& r) { r.cap_effective = 0x20; }},
      {"cap_bounding", [](ipc::IsolationReport& r) { r.cap_bounding = 0x24; }},
      {"cap_ambient", [](ipc::IsolationReport& r) { r.cap_ambient = 0x20; }},
      {"no_new_privs", [](ipc::IsolationReport& r) { r.no_new_privs = 0; }},
      {"seccomp_mode", [](ipc::IsolationReport& r) { r.seccomp_mode = 0; }},
      {"seccomp_filters", [](ipc::IsolationReport& r) { r.seccomp_filters = 0; }}};
  for (const auto& [field, change] : changes) {
    ipc::IsolationReport changed = locked;
    change(changed);
    EXPECT_NE(Message(CheckInit(changed)).find("init's " + field), std::string::npos) << field;
  }
}

TEST(CheckIsolationTest, ALoopbackIsUpWhereTheProfileSaysSoAndNothingElseIsThere) {
  constexpr policy::NetworkMode kLoopback = policy::NetworkMode::kLoopback;
  ipc::IsolationReport report = Complete();
  const absl::Status down = CheckIsolation(report, {kHostUid, kLoopback});
  EXPECT_TRUE(absl::IsFailedPrecondition(down));
  EXPECT_NE(Message(down).find("loopback_up is 0, must be 1"), std::string::npos) << Message(down);
  report.loopback_up = 1;
  EXPECT_TRUE(CheckIsolation(report, {kHostUid, kLoopback}).ok());
  report.network_addresses = 1;
  EXPECT_FALSE(CheckIsolation(report, {kHostUid, kLoopback}).ok());
  report.network_addresses = 0;
  report.network_interfaces = 1;
  EXPECT_FALSE(CheckIsolation(report, {kHostUid, kLoopback}).ok());
}

TEST(CheckIsolationTest, ARootThatShouldBeAnImageIsNotTheHosts) {
  ipc::IsolationReport report = Complete();
  const ExpectedIsolation of_image{kHostUid, policy::NetworkMode::kNone, ipc::RootKind::kImage};
  EXPECT_TRUE(absl::IsFailedPrecondition(CheckIsolation(report, of_image)));
  report.root = ipc::RootKind::kImage;
  EXPECT_TRUE(CheckIsolation(report, of_image).ok());
}

TEST(CheckIsolationTest, AnExpectedUidOfZeroNeverPasses) {
  ipc::IsolationReport report = Complete();
  report.payload_host_uid = 0;
  report.payload_host_gid = 0;
  EXPECT_FALSE(CheckIsolation(report, {0}).ok());
}

}  // namespace
}  // namespace caisson::orchestrator
