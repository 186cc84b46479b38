// The locks that init and the stub put on themselves. Each only ever takes rights away.
#ifndef CAISSON_SANDBOX_INIT_LOCK_H_
#define CAISSON_SANDBOX_INIT_LOCK_H_

#include "sandbox/init/plan_reader.h"
#include "sandbox/init/report.h"

namespace caisson::init {

// Bits of capability sets (capabilities(7)).
inline constexpr uint64_t kCapDacReadSearch = 1ULL << 2U;
inline constexpr uint64_t kCapKill = 1ULL << 5U;
inline constexpr uint64_t kCapSetgid = 1ULL << 6U;
inline constexpr uint64_t kCapSetuid = 1ULL << 7U;
inline constexpr uint64_t kCapSetpcap = 1ULL << 8U;
inline constexpr uint64_t kCapSysAdmin = 1ULL << 21U;  // mutation builds only

// Real, effective and saved ids.
void TakeIds(uint32_t id, Progress& progress);
// Permitted and effective become `mask`, inheritable empty.
void SetCapabilities(uint64_t mask, Progress& progress);
// Empties the bounding and ambient sets. Needs CAP_SETPCAP.
void EmptyBoundingSet(Progress& progress);
// No capability by uid 0, by set-uid fix-ups, by keep-caps, by ambient raise; all locked. Needs CAP_SETPCAP.
void LockSecurebits(Progress& progress);
void SetNoNewPrivs(Progress& progress);
// Handles every right of the plan's kLandlock record. kPlan: the plan's path rules; kReadBox: nothing but
// reading below /box, which is what init collects from. After it no mount call works. Needs no_new_privs.
enum class LandlockRules : uint8_t { kPlan, kReadBox };
void RestrictByLandlock(PlanReader plan, LandlockRules rules, Progress& progress);
// Loads the plan's kFilter; returns the notification listener.
int LoadPayloadFilter(PlanReader plan, Progress& progress);
// Loads init's own filter: what the supervising loop needs, anything else kills.
void LoadInitFilter(Progress& progress);

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_LOCK_H_
