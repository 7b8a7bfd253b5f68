using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Jobs;

/// <summary>A program reads what is sent to it while it runs. Nothing of that is kept: such a job has one attempt.</summary>
/// <param name="From">The device that sends it, besides the home of the job; null for the home alone.</param>
/// <param name="Terminal">The program gets a terminal; null for a pipe.</param>
/// <param name="LoginShell">The program is the login shell of the user of the executing device's node; the words are for lists alone.</param>
public sealed record JobInput(DeviceId? From = null, JobTerminal? Terminal = null, bool LoginShell = false);

/// <param name="Name">What TERM says, for example xterm-256color.</param>
/// <param name="Columns">1 to <see cref="SizeMax"/>, as <paramref name="Rows"/>.</param>
public sealed record JobTerminal(string Name, int Columns, int Rows)
{
    public const int SizeMax = ushort.MaxValue;
    public const int NameMax = 64;

    public bool IsSane => Columns is > 0 and <= SizeMax && Rows is > 0 and <= SizeMax && Name.Length <= NameMax && !Name.Any(char.IsControl);
}

/// <summary>What a program writes is the input of another one, and of nobody else.</summary>
/// <param name="Device">Where that runs.</param>
public sealed record JobPipe(DeviceId Device, JobId Job);
