using System.CommandLine;
using AgentMesh.Cli.Doctor;
using AgentMesh.Cli.Output;

namespace AgentMesh.Cli.Verbs;

/// <summary>doctor: is everything here as it should be, and what to do where it is not.</summary>
internal static class DoctorVerb
{
    public const int Failed = 1;

    public static Command Create(GlobalOptions global) =>
        global.Verb("doctor", "Check this device: libraries, disk, settings, node, network, peers; says what to do about each finding.", [], async (session, _, cancel) =>
            Show(await new Examination(session, TimeProvider.System).RunAsync(cancel).ConfigureAwait(false), session.Terminal));

    /// <returns>0 when nothing failed, 1 otherwise; warnings do not count.</returns>
    public static int Show(DoctorReport report, Terminal terminal)
    {
        if (terminal.Json)
        {
            terminal.PrintJson(report, DoctorJson.Default.DoctorReport);
            return report.Ok ? 0 : Failed;
        }

        int width = report.Checks.Max(check => check.Name.Length);
        foreach (DoctorCheck check in report.Checks)
        {
            string result = check.Result == "fail" ? "FAIL" : check.Result;
            terminal.Out.WriteLine($"{result,-4}  {check.Name.PadRight(width)}  {(check.Code is null ? "" : check.Code + ": ")}{check.Finding}");
            if (check.Next is { } next)
            {
                terminal.Out.WriteLine($"      {new string(' ', width)}  next: {next}");
            }
        }

        int warnings = report.Checks.Count(check => check.Result == "warn"), failures = report.Checks.Count(check => check.Result == "fail");
        terminal.Out.WriteLine($"{report.Checks.Count} checks: {failures} failed, {warnings} {(warnings == 1 ? "warning" : "warnings")}");
        return report.Ok ? 0 : Failed;
    }
}
