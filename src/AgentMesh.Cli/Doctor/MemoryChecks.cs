using AgentMesh.Cli.Verbs;
using AgentMesh.Node.Control;
using AgentMesh.Node.Reach;

namespace AgentMesh.Cli.Doctor;

/// <summary>What the device has on disk to find the others again without a beacon and without names.</summary>
internal static class MemoryChecks
{
    private const int NamesShown = 4;

    public static IEnumerable<DoctorCheck> Of(MemoryView memory, DateTimeOffset now)
    {
        yield return Remembered(memory, now);
        foreach (RememberedNameView name in memory.Names.Where(name => name.InUse))
        {
            yield return DoctorCheck.Warn(
                $"name {name.Host}",
                $"it is not resolved: where it answered {Durations.Age(now - name.At)} ago is used, {string.Join(", ", name.Addresses)}",
                $"see that names are resolved here (getent hosts {name.Host}); until then the host must stay at that address") with { Code = ReachErrors.NameNotResolved };
        }
    }

    private static DoctorCheck Remembered(MemoryView memory, DateTimeOffset now)
    {
        const string name = "memory";
        string found = memory is { NewestAt: { } newest, OldestAt: { } oldest }
            ? $"{Count(memory.Devices, "device", "devices")} at {Count(memory.GoodAddresses, "address", "addresses")} that worked ({(memory.GoodAddresses == 1 ? $"{Durations.Age(now - newest)} ago" : $"{Durations.Age(now - newest)} to {Durations.Age(now - oldest)} ago")})"
            : "no device at an address that worked";
        string relays = memory.Relays == 0 ? "no relay" : $"{Count(memory.Relays, "device", "devices")} that relayed to {memory.RelayedDevices}";
        string names = memory.Names.Count == 0 ? "no name" : $"{string.Join(", ", memory.Names.Take(NamesShown).Select(each => $"{each.Host} at {each.Addresses[0]} ({Durations.Age(now - each.At)} ago)"))}{(memory.Names.Count > NamesShown ? $" and {memory.Names.Count - NamesShown} more" : "")}";
        string finding = $"{found}, {memory.ToldAddresses} more said; {relays}; {names}";
        return memory.Damaged.Count == 0
            ? DoctorCheck.Ok(name, finding)
            : DoctorCheck.Warn(
                name,
                $"{string.Join(" and ", memory.Damaged.Select(file => $"{Count(file.Ignored, "entry", "entries")} of {file.File}"))} could not be read at the start of the node and {(memory.Damaged.Sum(file => file.Ignored) == 1 ? "is" : "are")} forgotten; left: {finding}",
                $"nothing has to be mended: what is missing is learned again from the others or from a beacon; if it comes again, check the disk and what else writes there; as it was: {string.Join(", ", memory.Damaged.Select(file => file.Copy))}")
                with { Code = ReachErrors.MemoryDamaged };
    }

    private static string Count(int number, string one, string more) => $"{number} {(number == 1 ? one : more)}";
}
