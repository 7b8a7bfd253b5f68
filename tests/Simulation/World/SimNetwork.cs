using AgentMesh.Protocol.Identity;
using Simulation.Engine;

namespace Simulation.World;

/// <summary>
/// Carries actor messages between machines as remoting does: in order between two of them, each at most once. Lines are cut in one direction or in
/// both; what is on a line that is cut is lost, and so is some of what is sent while it is bad.
/// </summary>
internal sealed class SimNetwork(SimLoop loop)
{
    private readonly HashSet<(DeviceId From, DeviceId To)> _cut = [];
    private readonly Dictionary<(DeviceId From, DeviceId To), TimeSpan> _last = [];

    /// <summary>Share of the messages that are lost.</summary>
    public double Loss { get; set; }

    public void Cut(DeviceId from, DeviceId to) => _cut.Add((from, to));

    public void Heal(DeviceId from, DeviceId to) => _cut.Remove((from, to));

    public bool IsOpen(DeviceId from, DeviceId to) => !_cut.Contains((from, to));

    public void Send(DeviceId from, DeviceId to, Action deliver)
    {
        if (!IsOpen(from, to) || loop.Chance(Loss))
        {
            return;
        }

        TimeSpan at = loop.Now + loop.Between(0.0002, loop.Chance(0.05) ? 0.8 : 0.01);
        TimeSpan before = _last.GetValueOrDefault((from, to));
        at = at > before ? at : before + TimeSpan.FromTicks(1);
        _last[(from, to)] = at;
        loop.After(at - loop.Now, null, () =>
        {
            if (IsOpen(from, to))
            {
                deliver();
            }
        });
    }
}
