using System.Globalization;
using System.Net;
using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Registry;
using AgentMesh.Mesh.Selectors;
using AgentMesh.Node.Links;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Services;

/// <summary>A device of the mesh as people name it.</summary>
internal sealed record NamedDevice(int Index, DeviceId Id, string Name, bool IsSelf);

/// <summary>Finds devices by number, name, the beginning of the id, or part of an address. Numbers stay as long as the node runs.</summary>
internal sealed class Devices(DeviceId self, string ownName, DeviceRegistry registry, DeviceDirectory directory)
{
    private readonly Lock _gate = new();
    private readonly List<DeviceId> _order = [self];

    public IReadOnlyList<NamedDevice> All
    {
        get
        {
            IReadOnlyDictionary<DeviceId, RegisteredDevice> known = registry.Devices;
            lock (_gate)
            {
                _order.AddRange(known.Keys.Except(_order).Order());
                return [.. _order.Select((id, index) => id == self
                    ? new NamedDevice(index, id, ownName, IsSelf: true)
                    : known.TryGetValue(id, out RegisteredDevice? device) ? new NamedDevice(index, id, Unlike(device), IsSelf: false) : null).OfType<NamedDevice>()];
            }
        }
    }

    /// <summary>The own name means this device; another one that is called the same shows the beginning of its id.</summary>
    private string Unlike(RegisteredDevice device) =>
        string.Equals(device.Name, ownName, StringComparison.OrdinalIgnoreCase) ? $"{device.Name}-{device.Id.ToString()[..4]}" : device.Name;

    public NamedDevice Self => All[0];

    /// <returns>Of one that is not known any more, the beginning of its id.</returns>
    public string NameOf(DeviceId device) => All.FirstOrDefault(known => known.Id == device)?.Name ?? device.ToString()[..12];

    /// <param name="selector">Of one device, with or without the leading @.</param>
    /// <exception cref="MeshException">AM0302: nobody is called that. AM0303: several are.</exception>
    public NamedDevice One(string selector) => One(selector.TrimStart('@'), All);

    private NamedDevice One(string selector, IReadOnlyList<NamedDevice> all)
    {
        if (int.TryParse(selector, NumberStyles.None, CultureInfo.InvariantCulture, out int index) && all.FirstOrDefault(device => device.Index == index) is { } numbered)
        {
            return numbered;
        }

        foreach (Func<NamedDevice, bool> matches in (Func<NamedDevice, bool>[])
        [
            device => device.Name.Equals(selector, StringComparison.Ordinal),
            device => device.Name.Equals(selector, StringComparison.OrdinalIgnoreCase),
            device => selector.Length >= 4 && device.Id.ToString().StartsWith(selector, StringComparison.OrdinalIgnoreCase),
            device => selector.Length >= 4 && directory.Addresses(device.Id).Any(address => address.ToString().Contains(selector, StringComparison.Ordinal)),
        ])
        {
            NamedDevice[] found = [.. all.Where(matches)];
            if (found.Length == 1)
            {
                return found[0];
            }

            if (found.Length > 1)
            {
                throw new MeshException(MeshErrors.AmbiguousPeer, $"'{selector}' is more than one device: {string.Join(", ", found.Select(device => $"{device.Name} ({device.Index})"))}", "use the number or more of the id");
            }
        }

        string meant = Nearest.Of(selector, all.Select(device => device.Name)) is { } near ? $"did you mean '{near}'? " : "";
        throw new MeshException(MeshErrors.UnknownPeer, $"no device is called '{selector}'", $"{meant}known are: {string.Join(", ", all.Select(device => $"{device.Name} ({device.Index})"))}");
    }
}
