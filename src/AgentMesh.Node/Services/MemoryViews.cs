using AgentMesh.Node.Control;
using AgentMesh.Node.Links;
using AgentMesh.Node.Remembered;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Services;

/// <summary>What is remembered, as it is shown.</summary>
internal static class MemoryViews
{
    public static MemoryView Of(DeviceDirectory directory, NameMemory names)
    {
        DeviceId[] devices = [.. directory.Admitted.Keys];
        GoodAddress[] good = [.. devices.SelectMany(directory.Good)];
        GoodRelay[] relays = [.. devices.SelectMany(directory.Relays)];
        return new MemoryView(
            devices.Count(device => directory.Good(device).Count > 0),
            good.Length,
            devices.Sum(device => directory.Addresses(device).Except(directory.Good(device).Select(known => known.Address)).Count()),
            good.Length == 0 ? null : good.Max(known => known.At),
            good.Length == 0 ? null : good.Min(known => known.At),
            relays.DistinctBy(relay => relay.Device).Count(),
            devices.Count(device => directory.Relays(device).Count > 0),
            [.. names.All.Select(name => new RememberedNameView(name.Host, [.. name.Addresses.Select(known => known.Address.ToString())], name.At, name.IsInUse))],
            [.. new[] { directory.File, names.File }.Where(file => file.Ignored > 0).Select(file => new DamagedFileView(file.Name, file.Ignored, file.DamagedCopy))]);
    }
}
