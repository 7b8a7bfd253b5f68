using System.Collections.Immutable;
using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Commands;
using AgentMesh.Mesh.Grants;
using AgentMesh.Mesh.Registry;
using AgentMesh.Protocol.Identity;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Processes;

namespace AgentMesh.Node.Trust;

/// <summary>What the other devices may have run on this one.</summary>
/// <param name="commandsNeedGrant">The setting <c>agentmesh.grants.commands</c>.</param>
/// <param name="confines">The setting <c>agentmesh.grants.confine</c>.</param>
/// <param name="workingDirectory">Where programs begin that are not told where.</param>
internal sealed class CommandPermissions(DeviceId self, string deviceName, DeviceRegistry registry, bool commandsNeedGrant, bool confines, string workingDirectory)
{
    /// <param name="command">The name of its handler; counts where it is no program.</param>
    /// <returns>Null where it may; otherwise AM0306, or AM0628 for a directory that is not there.</returns>
    public MeshException? Refusal(DeviceId caller, AttemptOrder order, string command)
    {
        if (caller == self)
        {
            return null;
        }

        RegisteredDevice? device = registry.Devices.GetValueOrDefault(caller);
        string name = device?.Name ?? caller.ToString();
        try
        {
            return new CommandGrants(device?.Grants ?? [], commandsNeedGrant).Missing(Wanted(order, command)) is { } missing
                ? new MeshException(MeshErrors.NotAllowed, $"{name} may not {missing.Deed} on {deviceName}", $"on {deviceName}: agentmesh grant {name} {Quoting.Quote(missing.Grant)}")
                : null;
        }
        catch (MeshException noDirectory)
        {
            return noDirectory;
        }
    }

    /// <returns>What a program of this device may reach; null for everything.</returns>
    public Confinement? ConfinementOf(DeviceId caller, AttemptOrder order)
    {
        ImmutableSortedSet<string> grants = registry.Devices.GetValueOrDefault(caller)?.Grants ?? [];
        return !confines || caller == self || !order.IsProgram || grants.Contains(Grant.Run)
            ? null
            : Confinement.Of(grants, registry.Devices.Values.SelectMany(device => device.Grants));
    }

    private WantedCommand Wanted(AttemptOrder order, string command)
    {
        if (!order.IsProgram)
        {
            return new WantedCommand(null, command);
        }

        string program = order.Words[0];
        return new WantedCommand(program.StartsWith('/') ? Path.GetFullPath(program) : program, null)
        {
            Directory = order.Directory is { } directory ? () => ProgramDirectory.Find(directory, workingDirectory) : null,
            HasVariables = order.Environment.Count > 0,
            IsShell = order.Input is { LoginShell: true },
        };
    }
}
