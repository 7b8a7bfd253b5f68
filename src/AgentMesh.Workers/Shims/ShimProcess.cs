using System.ComponentModel;
using System.Diagnostics;
using AgentMesh.Errors;
using AgentMesh.Shim;
using AgentMesh.Shim.Format;

namespace AgentMesh.Workers.Shims;

/// <summary>Starts shims, and ends what is left of one that no longer does its work.</summary>
internal static class ShimProcess
{
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(20);

    /// <summary>
    /// Completes when the program of the attempt runs, or when a shim that had begun was killed or kept silent: nobody knows then whether the program ran, and
    /// whoever follows the attempt finds it lost.
    /// </summary>
    /// <exception cref="MeshException">AM0614: the shim says why not; nothing of the program has run.</exception>
    public static async Task StartAsync(ShimCommand command, string directory, TimeProvider time)
    {
        var start = new ProcessStartInfo(command.Program, [.. command.Arguments, directory])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        string said;
        try
        {
            using Process shim = Process.Start(start)!;
            shim.StandardInput.Close();
            Task<string?> answer = shim.StandardOutput.ReadLineAsync();
            said = await answer.WaitAsync(ReadyWithin, time).ConfigureAwait(false) ?? await shim.StandardError.ReadToEndAsync().WaitAsync(ReadyWithin, time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            said = "";
        }
        catch (Win32Exception error)
        {
            said = error.Message;
        }

        if (said == "ready")
        {
            return;
        }

        ShimRecord? record = LivingPrograms.RecordOf(directory);
        if (record is not null)
        {
            End(record);
        }

        if (record is null || said.Length > 0)
        {
            said = said.Length > 0 ? said : "it said nothing";
            throw new MeshException(WorkerErrors.ShimNotStarted, $"the supervisor of the program could not be started: {said.Trim()}", "free memory and disk space on that device; 'sh' has to be there");
        }
    }

    /// <summary>Kills the group of the program, and the shim. Nothing where they have ended.</summary>
    public static void End(ShimRecord record)
    {
        if (record.Boot != ShimRecord.ThisBoot())
        {
            return;
        }

        if (record.Program.IsAlive)
        {
            // The guard leads the group: as long as it lives, the number is the group's.
            _ = Native.Kill(-record.Program.Id, Native.SigKill);
        }

        if (record.Shim.IsAlive)
        {
            _ = Native.Kill(record.Shim.Id, Native.SigKill);
        }
    }
}
