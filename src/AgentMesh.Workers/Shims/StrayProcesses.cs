using System.Globalization;
using System.Text;
using AgentMesh.Shim;
using AgentMesh.Shim.Format;
using AgentMesh.Workers.Attempts;

namespace AgentMesh.Workers.Shims;

/// <summary>
/// Finds the processes of an attempt by their environment, which every process hands on to those it starts: also such as have left their group, and
/// whatever became of the processes between. A number that another process uses now is not mistaken for them.
/// </summary>
internal static class StrayProcesses
{
    /// <summary>One that starts others faster than this is given up.</summary>
    private const int RoundsMax = 20;

    public const string JobVariable = "AGENTMESH_JOB";
    public const string AttemptVariable = "AGENTMESH_ATTEMPT";

    /// <returns>How many there were.</returns>
    public static int Kill(AttemptKey key)
    {
        byte[] job = Encoding.UTF8.GetBytes($"{JobVariable}={key.Job}\0");
        byte[] attempt = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{AttemptVariable}={key.Attempt}\0"));
        int killed = 0;
        for (int round = 0; round < RoundsMax; round++)
        {
            int found = 0;
            foreach (string directory in Directory.GetDirectories("/proc"))
            {
                if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out int process) && Has(directory, job, attempt)
                    && ProcessIdentity.Of(process) is { IsAlive: true })
                {
                    _ = Native.Kill(process, Native.SigKill);
                    found++;
                }
            }

            if (found == 0)
            {
                break;
            }

            killed = Math.Max(killed, found);
        }

        return killed;
    }

    private static bool Has(string process, byte[] job, byte[] attempt)
    {
        try
        {
            byte[] environment = File.ReadAllBytes(Path.Combine(process, "environ"));
            return environment.AsSpan().IndexOf(job) >= 0 && environment.AsSpan().IndexOf(attempt) >= 0;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Another user's, or gone.
            return false;
        }
    }
}
