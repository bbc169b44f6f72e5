"""What the product was asked to be, as fifteen tests: infrastructure, workflows, integration, performance, edges.

Each goes through the command line, and where agents work through the real engine, in a workspace of the profile pm33.
"""
